import { type ClaimCodeDeps, createClaimCode, revokeClaimCode } from '../../registry/claim/claim-code.ts';
import { claimCodeView } from '../../registry/claim/view.ts';
import { requireMayActAs } from '../../registry/own-access.ts';
import type { Storage } from '../../storage/storage.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';
import { findIdentity, identitiesOf, identityIdOf, required } from './find-record.ts';

export function claimCodeHandlers(
  deps: ClaimCodeDeps & { readonly storage: Pick<Storage, 'claimCodes' | 'identities'> },
): NounHandlers<'claim-codes'> {
  const { storage } = deps;
  return {
    'claim-codes.create': {
      kind: 'write',
      async run({ params, body, admin }, stores, tell) {
        const identity = required(await findIdentity(stores, params.id), 'identity');
        // Whoever has the code becomes the identity.
        await requireMayActAs(admin.unlimited, stores, identity.id);
        const expiresAt = body.expires_at === undefined ? undefined : Date.parse(body.expires_at);
        const asked = { expiresAt, by: admin.actor };
        const { record, code } = await createClaimCode(deps, stores, tell, identity, asked);
        return {
          body: { ...claimCodeView(record, identity.clientId, deps.clock.now()), code },
          version: record.version,
          location: `/v1/claim-codes/${record.id}`,
        };
      },
    },

    'claim-codes.list': {
      kind: 'read',
      async run({ query }) {
        const filter = { identityId: await identityIdOf(storage, query.identity), state: query.state };
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        const found = await storage.claimCodes.list(filter, page);
        const identityOf = await identitiesOf(storage, found.items);
        const now = deps.clock.now();
        return {
          body: await pageOf(found, (record) =>
            claimCodeView(record, identityOf(record.identityId).clientId, now),
          ),
        };
      },
    },

    'claim-codes.get': {
      kind: 'read',
      async run({ params }) {
        const record = required(await storage.claimCodes.byId(params.id), 'claim code');
        const identity = required(await storage.identities.byId(record.identityId), 'identity');
        return { body: claimCodeView(record, identity.clientId, deps.clock.now()), version: record.version };
      },
    },

    'claim-codes.revoke': {
      kind: 'write',
      async run({ params, requireVersion }, stores, tell) {
        const record = required(await stores.claimCodes.byId(params.id), 'claim code');
        requireVersion(record.version);
        const identity = required(await stores.identities.byId(record.identityId), 'identity');
        const revoked = await revokeClaimCode(deps, stores, tell, identity, record);
        return {
          body: claimCodeView(revoked, identity.clientId, deps.clock.now()),
          version: revoked.version,
        };
      },
    },
  };
}
