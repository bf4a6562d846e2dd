import { adoptAuthority } from '../../ca/adopt-authority.ts';
import { type AuthorityFault, AuthorityRefused, type PathFault } from '../../ca/authority-refused.ts';
import type { MakeAuthorityDeps } from '../../ca/make-authority.ts';
import { discardAuthority, MOST_PENDING, requestAuthority } from '../../ca/request-authority.ts';
import { LEAST_LEFT_MS, MOST_IN_CHAIN } from '../../ca/take-authority.ts';
import { type AuthorityView, authorityView } from '../../ca/view.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import type { CertificateAuthorityRecord } from '../../storage/certificate-authorities.ts';
import type { Storage } from '../../storage/storage.ts';
import type { NounHandlers } from './endpoint.ts';
import { required } from './find-record.ts';

export function certificateAuthorityHandlers(
  deps: MakeAuthorityDeps & { readonly storage: Pick<Storage, 'certificateAuthorities'> },
): NounHandlers<'certificate-authorities'> {
  const { storage } = deps;
  return {
    'certificate-authorities.list': {
      kind: 'read',
      async run() {
        const live = await storage.certificateAuthorities.live();
        return { body: { items: live.map(authorityView), next_cursor: null } };
      },
    },

    'certificate-authorities.get': {
      kind: 'read',
      async run({ params }) {
        return resultOf(
          required(await storage.certificateAuthorities.byId(params.id), 'certificate authority'),
        );
      },
    },

    'certificate-authorities.request': {
      kind: 'write',
      async run({ body }, stores, tell) {
        const made = await worded(() => requestAuthority(deps, stores, tell, body.alg));
        return { ...resultOf(made), location: `/v1/certificate-authorities/${made.id}` };
      },
    },

    'certificate-authorities.certify': {
      kind: 'write',
      async run({ params, body, requireVersion }, stores, tell) {
        const record = required(await stores.certificateAuthorities.byId(params.id), 'certificate authority');
        requireVersion(record.version);
        return resultOf(await worded(() => adoptAuthority(deps, stores, tell, record, body.certificate)));
      },
    },

    'certificate-authorities.discard': {
      kind: 'write',
      async run({ params, requireVersion }, stores, tell) {
        const record = required(await stores.certificateAuthorities.byId(params.id), 'certificate authority');
        requireVersion(record.version);
        return resultOf(await worded(() => discardAuthority(deps, stores, tell, record)));
      },
    },
  };
}

function resultOf(record: CertificateAuthorityRecord): { body: AuthorityView; version: number } {
  return { body: authorityView(record), version: record.version };
}

async function worded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof AuthorityRefused ? refusalOf(error.fault) : error;
  }
}

function refusalOf(fault: AuthorityFault): RegistryRefusal {
  if (fault === 'too_many_pending') {
    return new RegistryRefusal(
      'limit_reached',
      `${MOST_PENDING} requests wait for their certificate: bring it, or discard one`,
    );
  }
  if (fault === 'not_pending')
    return new RegistryRefusal('illegal_transition', 'it does not wait for a certificate');
  const said = typeof fault === 'string' ? CERTIFICATE_FAULTS[fault] : PATH_FAULTS[fault.path];
  return new RegistryRefusal('unacceptable_certificate', said, { pointer: '/certificate' });
}

const CERTIFICATE_FAULTS: {
  readonly [fault in Exclude<AuthorityFault & string, 'too_many_pending' | 'not_pending'>]: string;
} = {
  malformed: 'must be PEM: the certificate, then those above it, up to the root',
  too_many_certificates: `holds more than ${MOST_IN_CHAIN} certificates`,
  other_key: 'the first certificate is not for the key of the request',
  not_an_authority: 'the certificate is not of an authority: basicConstraints must say CA:TRUE',
  key_usage: 'the keyUsage of the certificate must name keyCertSign and cRLSign',
  purposes:
    'the extendedKeyUsage of the certificate must name both serverAuth and clientAuth, or be left out',
  key_identifiers: 'the certificate must have subjectKeyIdentifier and authorityKeyIdentifier',
  name: 'the certificate has no subject, or that of another authority here: take over the one of the request',
  out_of_order: 'each certificate must be followed by that of its issuer',
  no_root: 'the certificates do not end with a root: add those above, up to the one that issued itself',
  root_signature: 'the root has not signed itself',
  no_root_key: 'the key of the root is not here',
  no_issuing_authority: 'there is no authority that issues',
  ends_too_soon: `one of the certificates ends within ${LEAST_LEFT_MS / 3_600_000} hours`,
};

/** Of what the authority would issue. */
const PATH_FAULTS: { readonly [fault in PathFault]: string } = {
  untrusted: 'what it would issue finds no way up to the root: key identifiers or names do not fit',
  bad_signature: 'a signature is not that of the issuer',
  not_yet_valid: 'one of the certificates is not valid yet',
  expired: 'one of the certificates has ended',
  weak: 'a key or a signature is too weak: RSA below 2,048 bits, SHA-1 or older',
  unusable: 'a key or a signature is of a kind that nobody here can check',
  wrong_purpose: 'an extendedKeyUsage above it does not allow client authentication',
  not_an_authority: 'one above it may not sign certificates, or not for so long a path',
  outside_constraints:
    'name constraints do not allow what it would issue: subjects CN=<client_id> and URIs of the trust domain',
  unknown_critical_extension: 'a critical extension is not understood here',
  revoked: 'one of the certificates is revoked',
  revocation_unknown: 'nobody says whether one of the certificates is revoked',
};
