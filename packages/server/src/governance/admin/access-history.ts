import type { ResponseOf } from '@countersign/admin-api';
import { decisionView } from '../../registry/approval/view.ts';
import { identityFault } from '../../registry/effective-access.ts';
import { type AccessPolicy, explainAccess } from '../../registry/explain-access.ts';
import { rfc3339 } from '../../registry/views.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Storage } from '../../storage/storage.ts';
import { decisionsByRequest } from './access-answer.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { Handler } from './endpoint.ts';
import { findIdentity, findResourceServer, required } from './find-record.ts';

export interface AccessHistoryDeps {
  readonly storage: Pick<
    Storage,
    | 'access'
    | 'approvals'
    | 'credentials'
    | 'identities'
    | 'resourceServers'
    | 'policies'
    | 'policyExceptions'
  >;
  readonly clock: { now(): number };
  /** What the token wing's rules say: the wings do not see each other. */
  readonly accessPolicy: AccessPolicy;
}

/** Who held what, and why: at any instant, as it was then. */
export function accessHistoryHandlers({ storage, clock, accessPolicy }: AccessHistoryDeps): {
  readonly [Id in 'access.holders' | 'access.explain']: Handler<Id>;
} {
  return {
    'access.holders': {
      kind: 'read',
      async run({ query }) {
        const resourceServer = required(
          await findResourceServer(storage, query.resource_server),
          'resource server',
        );
        const at = query.at === undefined ? clock.now() : Date.parse(query.at);
        const filter = { resourceServerId: resourceServer.id, scope: query.scope };
        const position = { limit: query.limit, after: readPosition(query.cursor) };
        const held = await storage.access.heldAt(filter, at, position);
        const said = await decisionsByRequest(storage, held.items);
        const ids = [...new Set(held.items.map(({ identityId }) => identityId))];
        const found = await storage.identities.allAsOf(ids, at);
        const identities = new Map(found.map((identity) => [identity.id, identity]));
        const body = await pageOf(held, (access) => ({
          ...holderView(access, identities.get(access.identityId), at),
          approvals: said(access),
        }));
        return { body };
      },
    },

    'access.explain': {
      kind: 'read',
      async run({ query }) {
        const identity = required(await findIdentity(storage, query.identity), 'identity');
        const resourceServer = required(
          await findResourceServer(storage, query.resource_server),
          'resource server',
        );
        const at = query.at === undefined ? clock.now() : Date.parse(query.at);
        const { scope } = query;
        const asked = [identity.id, resourceServer, scope, at] as const;
        const { links, approvals } = await explainAccess(storage, accessPolicy, ...asked);
        const blocking = links.find(({ ok }) => !ok);
        return {
          body: {
            at: rfc3339(at),
            identity: identity.clientId,
            resource_server: resourceServer.identifier,
            scope,
            allowed: blocking === undefined,
            blocked_by: blocking?.link ?? null,
            links: links.map(({ link, ok, id, detail }) => ({ link, ok, id: id ?? null, detail })),
            approvals: approvals.map(decisionView),
          },
        };
      },
    },
  };
}

type Holder = ResponseOf<'access.holders'>['items'][number];

function holderView(
  access: AccessRecord,
  identity: IdentityRecord | undefined,
  at: number,
): Omit<Holder, 'approvals'> {
  const { clientId, owner, state } = required(identity, 'identity at that time');
  const { person, backup, team } = owner;
  return {
    identity: access.identityId,
    client_id: clientId,
    owner: { person, backup: backup ?? null, team: team ?? null },
    identity_state: state,
    could_act: identity !== undefined && identityFault(identity, at) === undefined,
    access: access.id,
    version: access.version,
    since: rfc3339(access.updatedAt),
    expires_at: rfc3339(access.expiresAt),
    scopes: [...access.scopes],
    justification: access.justification,
    requested_by: access.requestedBy,
    approved_by: access.approvedBy ?? null,
    approval: access.approvalId ?? null,
  };
}
