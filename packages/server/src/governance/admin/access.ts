import { type AccessEnds, changeAccess, createAccess, revokeAccess } from '../../registry/access.ts';
import { type AdministratorDeps, keepAdministered } from '../../registry/administrators.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import { requireWithin } from '../../registry/own-access.ts';
import { useOfAccess } from '../../registry/use/read-use.ts';
import { accessUsageView } from '../../registry/use/view.ts';
import { type AccessView, accessView } from '../../registry/views.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { pageOf } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';
import { findIdentity, findResourceServer, referenced, remembering, required } from './find-record.ts';
import { listAccess } from './list-access.ts';
import { DEFAULT_SPAN, spanOf } from './span.ts';

export function accessHandlers(
  deps: RuleDeps &
    AdministratorDeps & {
      readonly storage: Pick<
        Storage,
        'access' | 'identities' | 'resourceServers' | 'usage' | 'usageReporters' | 'coverage'
      >;
    },
): NounHandlers<'access'> {
  const { storage } = deps;
  return {
    'access.create': {
      kind: 'write',
      async run({ body, admin }, stores, tell) {
        const identity = referenced(await findIdentity(stores, body.identity), '/identity', 'identity');
        const resourceServer = referenced(
          await findResourceServer(stores, body.resource_server),
          '/resource_server',
          'resource server',
        );
        if (resourceServer.builtIn) requireWithin(admin.unlimited, body.scopes);
        const ends = { identity, resourceServer };
        const record = await createAccess(deps, stores, tell, ends, {
          scopes: body.scopes,
          justification: body.justification,
          tokenLifetime: body.token_lifetime,
          expiresAt: Date.parse(body.expires_at),
          requestedBy: admin.actor.identity,
        });
        return { ...resultOf(record, ends), location: `/v1/access/${record.id}` };
      },
    },

    'access.list': {
      kind: 'read',
      async run({ query }) {
        const { identity: who, resource_server: what } = query;
        const ends = {
          identityId:
            who === undefined ? undefined : required(await findIdentity(storage, who), 'identity').id,
          resourceServerId:
            what === undefined
              ? undefined
              : required(await findResourceServer(storage, what), 'resource server').id,
        };
        const { page, uses } = await listAccess(storage, query, ends, deps.clock.now());
        const identityOf = remembering((id) => storage.identities.byId(id));
        const resourceServerOf = remembering((id) => storage.resourceServers.byId(id));
        const body = await pageOf(page, async (record) => {
          const use = uses?.get(record.id);
          const view = accessView(
            record,
            (await identityOf(record.identityId))?.clientId ?? '',
            (await resourceServerOf(record.resourceServerId))?.identifier ?? '',
          );
          return use === undefined ? view : { ...view, usage: accessUsageView(use) };
        });
        return { body };
      },
    },

    'access.get': {
      kind: 'read',
      async run({ params, query }) {
        const { record, ends } = await requireAccess(storage, params.id);
        const { body, version } = resultOf(record, ends);
        const within = spanOf(query.within ?? DEFAULT_SPAN, 'within');
        const use = (await useOfAccess(storage, [record], deps.clock.now(), within)).get(record.id);
        return { body: use === undefined ? body : { ...body, usage: accessUsageView(use) }, version };
      },
    },

    'access.patch': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const { record, ends } = await requireAccess(stores, params.id);
        requireVersion(record.version);
        const expiresAt = body.expires_at === undefined ? undefined : Date.parse(body.expires_at);
        const scopes = body.scopes ?? record.scopes;
        const gives = scopes.some((scope) => !record.scopes.includes(scope));
        const prolongs = expiresAt !== undefined && expiresAt > record.expiresAt;
        if (ends.resourceServer.builtIn && (gives || prolongs)) requireWithin(admin.unlimited, scopes);
        const change = {
          scopes: body.scopes,
          justification: body.justification,
          tokenLifetime: body.token_lifetime,
          expiresAt,
        };
        return await keepAdministered(deps, stores, record.identityId, async () =>
          resultOf(await changeAccess(deps, stores, tell, ends, record, change), ends),
        );
      },
    },

    'access.revoke': {
      kind: 'write',
      async run({ params, requireVersion }, stores, tell) {
        const { record, ends } = await requireAccess(stores, params.id);
        requireVersion(record.version);
        return await keepAdministered(deps, stores, record.identityId, async () =>
          resultOf(await revokeAccess(deps, stores, tell, ends, record), ends),
        );
      },
    },
  };
}

async function requireAccess(
  stores: Pick<Stores, 'access' | 'identities' | 'resourceServers'>,
  id: string,
): Promise<{ record: AccessRecord; ends: AccessEnds }> {
  const record = required(await stores.access.byId(id), 'access');
  return {
    record,
    ends: {
      identity: required(await stores.identities.byId(record.identityId), 'identity'),
      resourceServer: required(await stores.resourceServers.byId(record.resourceServerId), 'resource server'),
    },
  };
}

function resultOf(record: AccessRecord, ends: AccessEnds): { body: AccessView; version: number } {
  const { clientId } = ends.identity;
  return { body: accessView(record, clientId, ends.resourceServer.identifier), version: record.version };
}
