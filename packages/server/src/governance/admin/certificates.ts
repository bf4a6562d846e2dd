import type { QueryOf } from '@countersign/admin-api';
import {
  type IssueDeps,
  issueCertificate,
  type IssuedCertificate,
} from '../../registry/certificates/issue.ts';
import { certificationRequestOf } from '../../registry/certificates/certificate-request.ts';
import { revokeLine } from '../../registry/certificates/revoke-line.ts';
import { type CertificateView, certificateView } from '../../registry/certificates/view.ts';
import { requireMayActAs } from '../../registry/own-access.ts';
import type { Storage } from '../../storage/storage.ts';
import type { CertificateFilter } from '../../storage/certificates.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';
import { endsAlso } from './ends-also.ts';
import { findIdentity, identitiesOf, identityIdOf, required } from './find-record.ts';
import { spanOf } from './span.ts';

export function certificateHandlers(
  deps: IssueDeps & { readonly storage: Pick<Storage, 'certificates' | 'identities'> },
): NounHandlers<'certificates'> {
  const { storage } = deps;

  async function listed(
    query: QueryOf<'certificates.of_identity'>,
    filter: CertificateFilter,
  ): Promise<{ body: { items: CertificateView[]; next_cursor: string | null } }> {
    const expiresBefore = query.expires_before === undefined ? undefined : Date.parse(query.expires_before);
    const found = await storage.certificates.list(
      { ...filter, expiresBefore },
      { limit: query.limit, after: readPosition(query.cursor) },
    );
    const identityOf = await identitiesOf(storage, found.items);
    const now = deps.clock.now();
    return {
      body: await pageOf(found, (record) =>
        certificateView(record, identityOf(record.identityId).clientId, now),
      ),
    };
  }

  return {
    'certificates.issue': {
      kind: 'write',
      async run({ params, body, admin }, stores, tell) {
        const identity = required(await findIdentity(stores, params.id), 'identity');
        await requireMayActAs(admin.unlimited, stores, identity.id);
        const issued = await issueCertificate(deps, stores, tell, identity, {
          request: certificationRequestOf(body.csr),
          lifetime: body.lifetime === undefined ? undefined : spanOf(body.lifetime, 'lifetime'),
          by: 'administration',
        });
        return issuedAnswer(issued, deps.clock.now());
      },
    },

    'certificates.of_identity': {
      kind: 'read',
      async run({ params, query }) {
        const identity = required(await findIdentity(storage, params.id), 'identity');
        return await listed(query, { identityId: identity.id });
      },
    },

    'certificates.list': {
      kind: 'read',
      async run({ query }) {
        const { credential: credentialId, serial_number: serialNumber } = query;
        const identityId = await identityIdOf(storage, query.identity);
        return await listed(query, {
          identityId,
          credentialId,
          serialNumber: serialNumber === undefined ? undefined : asEncoded(serialNumber),
        });
      },
    },

    'certificates.get': {
      kind: 'read',
      async run({ params }) {
        const record = required(await storage.certificates.byId(params.id), 'certificate');
        const identity = required(await storage.identities.byId(record.identityId), 'identity');
        return {
          body: certificateView(record, identity.clientId, deps.clock.now()),
          version: record.version,
        };
      },
    },

    'certificates.revoke': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const record = required(await stores.certificates.byId(params.id), 'certificate');
        requireVersion(record.version);
        const identity = required(await stores.identities.byId(record.identityId), 'identity');
        const revoked = await revokeLine(deps, stores, tell, identity, record, {
          ...body,
          actor: admin.actor,
        });
        return {
          body: certificateView(revoked, identity.clientId, deps.clock.now()),
          version: revoked.version,
        };
      },
      foresee: async ({ params }, changes) => endsAlso(changes, params.id),
    },
  };
}

export function issuedAnswer(
  { record, identity, chain, root }: IssuedCertificate,
  now: number,
): {
  body: CertificateView & { chain: string; root: string };
  version: number;
  location: string;
} {
  return {
    body: { ...certificateView(record, identity.clientId, now), chain, root },
    version: record.version,
    location: `/v1/certificates/${record.id}`,
  };
}

/** X.690 §8.3: with the zero byte that keeps the number positive, and two digits a byte. */
function asEncoded(serialNumber: string): string {
  const even = serialNumber.length % 2 === 0 ? serialNumber : `0${serialNumber}`;
  const bytes = even.replace(/^(?:00)+(?=..)/, '');
  return bytes >= '8' ? `00${bytes}` : bytes;
}
