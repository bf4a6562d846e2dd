import type { KeyObject } from 'node:crypto';
import { certificateThumbprint, type TrustDomain } from '@countersign/protocol';
import type { CertificateAuthority, IssuingAuthority } from '../../ca/certificate-authority.ts';
import { BACKDATE_MS, newSerialNumber } from '../../ca/make-authority.ts';
import { spiffeIdOfIdentity } from '../../ca/names.ts';
import { newId } from '../../ids.ts';
import type { RefusedMethods } from '../../policy/methods-allowed-per-environment.ts';
import type { CertificateIssuedBy, CertificateRecord } from '../../storage/certificates.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityKind, IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { CertificationRequest } from '../../x509/certification-request.ts';
import { certificateOf } from '../../x509/certificate.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  type CertificateSigner,
  crlDistributionPoint,
  extendedKeyUsage,
  keyIdentifierOf,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
  writeCertificate,
  writeName,
} from '../../x509/certificate-writer.ts';
import { CLIENT_AUTH, type KEY_USAGE, SERVER_AUTH } from '../../x509/extensions.ts';
import { writePem } from '../../x509/pem.ts';
import { requireAllowed } from '../allowed-method.ts';
import type { Tell } from '../change-rules.ts';
import { keySubject } from '../key-subject.ts';
import type { AgeDeps } from '../new-credential.ts';
import type { PolicyStores } from '../policy/require-policies.ts';
import { RegistryRefusal } from '../refusal.ts';
import type { RotateDeps } from '../rotation/rotate.ts';
import { certificateCredential } from './credential-of.ts';
import { certificateView } from './view.ts';

export interface IssueDeps extends AgeDeps, RotateDeps {
  readonly ca: Pick<CertificateAuthority, 'issuer'>;
  readonly trustDomain: TrustDomain;
  /** Milliseconds for which a certificate of this kind of machine lasts at most. */
  readonly certificateLifetime: (kind: IdentityKind) => number;
  /** Where the revocation list of an authority is. */
  readonly revocationListUrl: (authorityId: string) => string;
  readonly refusedMethods: RefusedMethods;
  /** Whether machines may give what they prove themselves by a successor. */
  readonly selfRotation: boolean;
}

export type IssueStores = PolicyStores &
  Pick<Stores, 'certificates' | 'credentials' | 'identities' | 'credentialMakers'>;

export interface AskedCertificate {
  readonly request: CertificationRequest;
  /** Milliseconds; undefined: as long as it may. */
  readonly lifetime: number | undefined;
  readonly by: CertificateIssuedBy;
  /** Milliseconds; undefined: a minute. Whoever renews by itself is content with less. */
  readonly shortest?: number | undefined;
  /** The credential that it was proved by; undefined: whichever the identity has. */
  readonly credential?: CredentialRecord | undefined;
  /** The certificate that it was proved by: its id. */
  readonly renewedFrom?: string | undefined;
}

export interface IssuedCertificate {
  readonly record: CertificateRecord;
  readonly identity: IdentityRecord;
  /** PEM: the certificate and those between it and the root. */
  readonly chain: string;
  /** PEM. */
  readonly root: string;
}

/** Shorter ones would have ended before they are used. */
const SHORTEST_MS = 60_000;
/** Longer ones say where to look whether they were revoked. */
const LIST_NAMED_FROM_MS = 86_400_000;
/** RFC 3279 §2.3.1: what an RSA key can do. OPC 10000-6 §6.2.2 wants all of it of an application's. */
const USES_OF_RSA = ['digitalSignature', 'nonRepudiation', 'keyEncipherment', 'dataEncipherment'] as const;
/** RFC 5280 §A.1. */
const MOST_NAME_CHARS = 64;

/**
 * Issues a certificate of the built-in authority, with its record and its event, in the caller's transaction. All that it says
 * comes from the identity: of the request only the key counts. It serves the `tls_client_auth` credential of the built-in authority,
 * which is made where there is none. Throws `RegistryRefusal`.
 */
export async function issueCertificate(
  deps: IssueDeps,
  stores: IssueStores,
  tell: Tell,
  identity: IdentityRecord,
  asked: AskedCertificate,
): Promise<IssuedCertificate> {
  requireWorking(identity);
  requireAllowed(deps.refusedMethods, identity, 'tls_client_auth');
  const subjectKey = keySubject(asked.request.key);
  await requireOwnKey(stores, identity, subjectKey);
  const { issuer, signer } = issuerOf(deps);
  const now = deps.clock.now();
  const shortest = asked.shortest ?? SHORTEST_MS;
  const lifetime = lifetimeOf(deps, identity, asked.lifetime, shortest);
  const credential = await certificateCredential(deps, stores, tell, identity, { ...asked, lifetime });
  const latest = Math.min(now + lifetime, credential.expiresAt, identity.expiresAt, issuer.notAfter);
  const notAfter = Math.floor(latest / 1000) * 1000;
  if (notAfter - now < shortest)
    throw new RegistryRefusal(
      'end_out_of_range',
      'the identity, its credential or the authority ends too soon',
    );
  const notBefore = Math.max(Math.floor((now - BACKDATE_MS) / 1000) * 1000, issuer.certificate.notBefore);
  const der = writeCertificate(
    {
      serialNumber: newSerialNumber(deps.random),
      issuer: issuer.certificate.subjectBytes,
      subject: subjectOf(identity, credential),
      notBefore,
      notAfter,
      publicKey: asked.request.publicKey,
      extensions: [
        basicConstraints(undefined),
        keyUsage(...usesOf(asked.request.key)),
        extendedKeyUsage(SERVER_AUTH, CLIENT_AUTH),
        subjectKeyIdentifier(keyIdentifierOf(asked.request.publicKey)),
        authorityKeyIdentifier(issuer.keyIdentifier),
        subjectAltName({ uris: [spiffeIdOfIdentity(deps.trustDomain, identity).text] }, false),
        ...(lifetime > LIST_NAMED_FROM_MS ? [crlDistributionPoint(deps.revocationListUrl(issuer.id))] : []),
      ],
    },
    signer,
  );
  const record: CertificateRecord = {
    id: newId('crt', deps.random),
    serialNumber: certificateOf(der).serialNumber,
    identityId: identity.id,
    credentialId: credential.id,
    authorityId: issuer.id,
    subjectKey,
    thumbprint: certificateThumbprint(der),
    certificate: writePem(der, 'CERTIFICATE'),
    issuedBy: asked.by,
    renewedFrom: asked.renewedFrom,
    notBefore,
    notAfter,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await stores.certificates.insert(record);
  tell({
    type: 'certificate.issued',
    resource: record.id,
    after: certificateView(record, identity.clientId, now),
  });
  return { record, identity, chain: record.certificate + issuer.chain, root: issuer.root };
}

/** Suspended, decommissioned and cut-off machines get nothing; who was approved proves itself by what it gets here. */
function requireWorking({ state }: IdentityRecord): void {
  if (state === 'active' || state === 'approved') return;
  throw new RegistryRefusal('illegal_transition', `the identity is ${state}: it gets no certificates`);
}

function usesOf({ asymmetricKeyType: kind }: KeyObject): readonly (keyof typeof KEY_USAGE)[] {
  return kind === 'rsa' ? USES_OF_RSA : ['digitalSignature'];
}

/** Whoever else has had this key could prove itself to be this machine. */
async function requireOwnKey(
  stores: Pick<Stores, 'certificates' | 'credentials'>,
  identity: IdentityRecord,
  subjectKey: string,
): Promise<void> {
  const certificates = await stores.certificates.bySubjectKey(subjectKey);
  const credentials = await stores.credentials.bySubjectKey(subjectKey);
  if ([...certificates, ...credentials].every(({ identityId }) => identityId === identity.id)) return;
  throw new RegistryRefusal(
    'unacceptable_certificate',
    'the key of the request is known as another identity’s',
    {
      pointer: '/csr',
    },
  );
}

function issuerOf({ ca }: Pick<IssueDeps, 'ca'>): {
  readonly issuer: IssuingAuthority;
  readonly signer: CertificateSigner;
} {
  const issuer = ca.issuer();
  if (issuer?.signer !== undefined) return { issuer, signer: issuer.signer };
  throw new RegistryRefusal('illegal_transition', 'there is no authority that could issue: give it one');
}

function lifetimeOf(
  { certificateLifetime }: IssueDeps,
  { kind }: IdentityRecord,
  asked: number | undefined,
  shortest: number,
): number {
  const longest = certificateLifetime(kind);
  if (asked === undefined) return longest;
  if (asked >= shortest && asked <= longest) return asked;
  const hours = Math.round((longest / 3_600_000) * 10) / 10;
  throw new RegistryRefusal('end_out_of_range', `a certificate lasts a minute to ${hours} hours here`, {
    pointer: '/lifetime',
  });
}

/**
 * The client_id, by which brokers and logs know it, and the credential's id, by which the authority knows which credential it
 * serves and whoever follows the cut-off feed that it was cut off.
 */
function subjectOf({ clientId }: IdentityRecord, { id }: CredentialRecord): Uint8Array {
  return writeName({
    commonName: clientId.length <= MOST_NAME_CHARS ? clientId : undefined,
    serialNumber: id,
  });
}
