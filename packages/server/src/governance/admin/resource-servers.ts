import type { BodyOf } from '@countersign/admin-api';
import {
  changeResourceServer,
  createResourceServer,
  deleteResourceServer,
  type NewResourceServer,
  type ResourceServerDeps,
} from '../../registry/resource-server.ts';
import { useOfResourceServer } from '../../registry/use/resource-server-use.ts';
import { type ResourceServerView, resourceServerView } from '../../registry/views.ts';
import type { ResourceServerRecord, ScopeDefinition, TokenSettings } from '../../storage/resource-servers.ts';
import type { Storage } from '../../storage/storage.ts';
import { pageOf, readPosition } from './cursor.ts';
import { requireAdminPerson } from './decider.ts';
import type { NounHandlers } from './endpoint.ts';
import { findResourceServer, required } from './find-record.ts';

export function resourceServerHandlers(
  deps: ResourceServerDeps & {
    readonly storage: Pick<Storage, 'resourceServers' | 'coverage' | 'usageReporters' | 'scopeRoutes'>;
  },
): NounHandlers<'resource-servers'> {
  const { storage } = deps;
  return {
    'resource-servers.create': {
      kind: 'write',
      async run({ body, admin }, stores, tell) {
        const { format, lifetime, signing_alg, typ, status_list } = body.token;
        const asked: NewResourceServer = {
          identifier: body.identifier,
          name: body.name,
          scopes: scopesOf(body.scopes),
          token: {
            format,
            lifetime,
            signingAlg: signing_alg,
            typ,
            ...(status_list ? { statusList: true } : {}),
          },
          senderConstraint: body.sender_constraint,
        };
        const asAdmin = (): void => requireAdminPerson(admin);
        const record = await createResourceServer(deps, stores, tell, asked, asAdmin);
        return { ...resultOf(record), location: `/v1/resource-servers/${record.id}` };
      },
    },

    'resource-servers.list': {
      kind: 'read',
      async run({ query }) {
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        const found = await storage.resourceServers.list({ text: query.text }, page);
        return { body: await pageOf(found, resourceServerView) };
      },
    },

    'resource-servers.get': {
      kind: 'read',
      async run({ params }) {
        const record = required(await findResourceServer(storage, params.id), 'resource server');
        const { body, version } = resultOf(record);
        const usage = await useOfResourceServer(storage, record.id, deps.clock.now());
        return { body: { ...body, usage }, version };
      },
    },

    'resource-servers.patch': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const record = required(await findResourceServer(stores, params.id), 'resource server');
        requireVersion(record.version);
        const change = {
          name: body.name,
          scopes: body.scopes && scopesOf(body.scopes),
          token: body.token && mergeToken(record.token, body.token),
          senderConstraint: body.sender_constraint,
        };
        const asAdmin = (): void => requireAdminPerson(admin);
        return resultOf(await changeResourceServer(deps, stores, tell, record, change, asAdmin));
      },
    },

    'resource-servers.delete': {
      kind: 'write',
      async run({ params, requireVersion }, stores, tell) {
        const record = required(await findResourceServer(stores, params.id), 'resource server');
        requireVersion(record.version);
        return resultOf(await deleteResourceServer(deps, stores, tell, record));
      },
    },
  };
}

function resultOf(record: ResourceServerRecord): { body: ResourceServerView; version: number } {
  return { body: resourceServerView(record), version: record.version };
}

/** An absent description is an empty one. */
export function scopesOf(scopes: BodyOf<'resource-servers.create'>['scopes']): readonly ScopeDefinition[] {
  return scopes.map(({ name, description, sensitivity }) => ({
    name,
    description: description ?? '',
    sensitivity,
  }));
}

/** Merge patch (RFC 7396 §2): absent stays, null removes. */
function mergeToken(
  token: TokenSettings,
  patch: NonNullable<BodyOf<'resource-servers.patch'>['token']>,
): TokenSettings {
  return {
    format: patch.format ?? token.format,
    lifetime: patch.lifetime === undefined ? token.lifetime : (patch.lifetime ?? undefined),
    signingAlg: patch.signing_alg ?? token.signingAlg,
    typ: patch.typ ?? token.typ,
    ...((patch.status_list ?? token.statusList) ? { statusList: true } : {}),
  };
}
