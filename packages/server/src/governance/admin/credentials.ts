import type { QueryOf } from '@countersign/admin-api';
import type { RefusedMethods } from '../../policy/methods-allowed-per-environment.ts';
import { type AdministratorDeps, keepAdministered } from '../../registry/administrators.ts';
import { requireAllowed } from '../../registry/allowed-method.ts';
import type { SecretDeps } from '../../registry/client-secret.ts';
import type { SpiffeCredentialDeps } from '../../registry/spiffe/spiffe-credential.ts';
import { changeCredential, revokeCredential } from '../../registry/credential.ts';
import { trustChanged } from '../../registry/tls-client.ts';
import { requireMayActAs } from '../../registry/own-access.ts';
import { type CredentialView, credentialView } from '../../registry/credential-view.ts';
import { type CredentialUsageView, useOfCredentials } from '../../registry/use/credential-use.ts';
import type { FetchDeps } from '../../registry/fetched-url.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { Storage } from '../../storage/storage.ts';
import { createAsked } from './create-credential.ts';
import { createdWith } from './credential-answer.ts';
import { rotationHandlers } from './credential-rotation.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';
import { DEFAULT_SPAN, spanOf } from './span.ts';
import { findIdentity, identitiesOf, requireCredential, required } from './find-record.ts';

export function credentialHandlers(
  deps: SecretDeps &
    SpiffeCredentialDeps &
    FetchDeps &
    AdministratorDeps &
    Parameters<typeof rotationHandlers>[0] & {
      readonly storage: Pick<Storage, 'credentials' | 'identities' | 'credentialUse' | 'usage' | 'settings'>;
      readonly refusedMethods: RefusedMethods;
    },
): NounHandlers<'credentials'> {
  const { storage } = deps;

  async function listed(
    query: QueryOf<'credentials.of_identity'>,
    identityId: string | undefined,
  ): Promise<{ body: { items: UsedCredential[]; next_cursor: string | null } }> {
    const filter = {
      identityId,
      type: query.type,
      state: query.state,
      expiresBefore: query.expires_before === undefined ? undefined : Date.parse(query.expires_before),
    };
    const found = await storage.credentials.list(filter, {
      limit: query.limit,
      after: readPosition(query.cursor),
    });
    const identityOf = await identitiesOf(storage, found.items);
    const uses = await useOfCredentials(
      storage,
      found.items,
      deps.clock.now(),
      spanOf(DEFAULT_SPAN, 'within'),
    );
    return {
      body: await pageOf(found, (record) => ({
        ...credentialView(record, identityOf(record.identityId).clientId),
        usage: uses.get(record.id) as CredentialUsageView,
      })),
    };
  }

  return {
    ...rotationHandlers(deps),

    'credentials.create': {
      kind: 'write',
      async run({ params, body, admin }, stores, tell) {
        const identity = required(await findIdentity(stores, params.id), 'identity');
        await requireMayActAs(admin.unlimited, stores, identity.id);
        requireAllowed(deps.refusedMethods, identity, body.type);
        return createdWith(await createAsked(deps, stores, tell, identity, body), identity);
      },
    },

    'credentials.of_identity': {
      kind: 'read',
      async run({ params, query }) {
        const identity = required(await findIdentity(storage, params.id), 'identity');
        return await listed(query, identity.id);
      },
    },

    'credentials.list': {
      kind: 'read',
      async run({ query }) {
        const { identity: ref } = query;
        const identity =
          ref === undefined ? undefined : required(await findIdentity(storage, ref), 'identity');
        return await listed(query, identity?.id);
      },
    },

    'credentials.get': {
      kind: 'read',
      async run({ params, query }) {
        const { record, identity } = await requireCredential(storage, params.id);
        const { body, version } = resultOf(record, identity.clientId);
        const within = spanOf(query.within ?? DEFAULT_SPAN, 'within');
        const uses = await useOfCredentials(storage, [record], deps.clock.now(), within);
        return { body: { ...body, usage: uses.get(record.id) }, version };
      },
    },

    'credentials.patch': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const { record, identity } = await requireCredential(stores, params.id);
        requireVersion(record.version);
        await requireMayActAs(admin.unlimited, stores, identity.id);
        const change = {
          label: body.label,
          state: body.state,
          expiresAt: body.expires_at === undefined ? undefined : Date.parse(body.expires_at),
          material: trustChanged(record, body, deps.clock.now()),
        };
        return await keepAdministered(deps, stores, identity.id, async () =>
          resultOf(await changeCredential(deps, stores, tell, identity, record, change), identity.clientId),
        );
      },
    },

    'credentials.revoke': {
      kind: 'write',
      async run({ params, requireVersion }, stores, tell) {
        const { record, identity } = await requireCredential(stores, params.id);
        requireVersion(record.version);
        return await keepAdministered(deps, stores, identity.id, async () =>
          resultOf(await revokeCredential(deps, stores, tell, identity, record), identity.clientId),
        );
      },
    },
  };
}

type UsedCredential = CredentialView & { usage: CredentialUsageView };

function resultOf(record: CredentialRecord, clientId: string): { body: CredentialView; version: number } {
  return { body: credentialView(record, clientId), version: record.version };
}
