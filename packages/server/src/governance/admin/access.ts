import type { BodyOf } from '@countersign/admin-api';
import {
  type AccessChange,
  type AccessEnds,
  changeAccess,
  createAccess,
  revokeAccess,
} from '../../registry/access.ts';
import { type AdministratorDeps, keepAdministered } from '../../registry/administrators.ts';
import type { ApprovalDeps } from '../../registry/approval/request.ts';
import type { Tell } from '../../registry/change-rules.ts';
import { requireWithin } from '../../registry/own-access.ts';
import { restoreAccess } from '../../registry/suspend-access.ts';
import { useOfAccess } from '../../registry/use/read-use.ts';
import { accessUsageView } from '../../registry/use/view.ts';
import { accessView } from '../../registry/views.ts';
import { isWider } from '../../registry/widening.ts';
import type { AccessConditions, AccessRecord } from '../../storage/access.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import {
  accessAnswer,
  type AnswerDeps,
  type AnswerStores,
  askedFacts,
  decisionsByRequest,
  isExpiring,
  pendingView,
} from './access-answer.ts';
import { decideOn, decisionOf, waitingAbout } from './approvals.ts';
import { pageOf } from './cursor.ts';
import type { Call, Handler, NounHandlers, Result } from './endpoint.ts';
import {
  findIdentity,
  findResourceServer,
  identitiesOf,
  identityIdOf,
  referenced,
  remembering,
  required,
} from './find-record.ts';
import { type ListedAccess, listAccess } from './list-access.ts';
import type { Admin } from './admin.ts';
import { DEFAULT_SPAN, spanOf } from './span.ts';

export type AccessHandlerDeps = ApprovalDeps &
  AdministratorDeps &
  AnswerDeps & {
    readonly storage: Pick<
      Storage,
      | 'access'
      | 'approvals'
      | 'approvalRules'
      | 'identities'
      | 'resourceServers'
      | 'usage'
      | 'usageReporters'
      | 'coverage'
    >;
  };

export function accessHandlers(
  deps: AccessHandlerDeps,
): Omit<NounHandlers<'access'>, 'access.holders' | 'access.explain'> {
  const { storage } = deps;
  return {
    'access.create': {
      kind: 'write',
      async run({ body, admin }, stores, tell) {
        const identity = referenced(
          await findIdentity(stores, body.identity),
          '/identity',
          'identity',
          body.identity,
        );
        const resourceServer = referenced(
          await findResourceServer(stores, body.resource_server),
          '/resource_server',
          'resource server',
          body.resource_server,
        );
        if (resourceServer.builtIn) requireWithin(admin.unlimited, body.scopes);
        const ends = { identity, resourceServer };
        const record = await createAccess(deps, stores, tell, ends, {
          scopes: body.scopes,
          justification: body.justification,
          tokenLifetime: body.token_lifetime,
          conditions: body.conditions,
          expiresAt: Date.parse(body.expires_at),
          by: admin.actor,
        });
        return { ...(await resultOf(deps, stores, record, ends)), location: `/v1/access/${record.id}` };
      },
    },

    'access.list': {
      kind: 'read',
      async run({ query }) {
        const { identity: who, resource_server: what } = query;
        const ends = {
          identityId: await identityIdOf(storage, who),
          resourceServerId:
            what === undefined
              ? undefined
              : required(await findResourceServer(storage, what), 'resource server').id,
        };
        const { page, uses } = await listAccess(deps, query, ends);
        return { body: await listed(deps, page, query.as_of === undefined, uses) };
      },
    },

    'access.get': {
      kind: 'read',
      async run({ params, query }) {
        const { record, ends } = await requireAccess(storage, params.id);
        const { body, version } = await resultOf(deps, storage, record, ends);
        const within = spanOf(query.within ?? DEFAULT_SPAN, 'within');
        const use = (await useOfAccess(storage, [record], deps.clock.now(), within)).get(record.id);
        return { body: use === undefined ? body : { ...body, usage: accessUsageView(use) }, version };
      },
    },

    'access.patch': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const found = await requireAccess(stores, params.id);
        requireVersion(found.record.version);
        const change = {
          scopes: body.scopes,
          justification: body.justification,
          tokenLifetime: body.token_lifetime,
          conditions: conditionsAfter(found.record.conditions, body.conditions),
          expiresAt: body.expires_at === undefined ? undefined : Date.parse(body.expires_at),
        };
        return await changed(deps, stores, tell, found, change, admin);
      },
    },

    'access.renew': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const found = await requireAccess(stores, params.id);
        requireVersion(found.record.version);
        const change = { justification: body.justification, expiresAt: Date.parse(body.expires_at) };
        return await changed(deps, stores, tell, found, change, admin);
      },
    },

    'access.restore': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const { record, ends } = await requireAccess(stores, params.id);
        requireVersion(record.version);
        if (ends.resourceServer.builtIn) requireWithin(admin.unlimited, record.scopes);
        const next = await restoreAccess(deps, stores, tell, ends, record, admin.actor, body.reason);
        return await resultOf(deps, stores, next, ends);
      },
    },

    'access.approve': decideHandler(deps, 'approve'),
    'access.reject': decideHandler(deps, 'reject'),

    'access.revoke': {
      kind: 'write',
      async run({ params, requireVersion }, stores, tell) {
        const { record, ends } = await requireAccess(stores, params.id);
        requireVersion(record.version);
        return await keepAdministered(deps, stores, record.identityId, async () =>
          resultOf(deps, stores, await revokeAccess(deps, stores, tell, ends, record), ends),
        );
      },
    },
  };
}

async function changed(
  deps: AccessHandlerDeps,
  stores: Stores,
  tell: Tell,
  { record, ends }: Found,
  change: AccessChange,
  admin: Admin,
): Promise<AccessResult> {
  const { scopes = record.scopes, expiresAt = record.expiresAt } = change;
  const { tokenLifetime = record.tokenLifetime, conditions = record.conditions } = change;
  const after = {
    scopes,
    expiresAt,
    tokenLifetime: tokenLifetime ?? undefined,
    conditions: conditions ?? undefined,
  };
  if (ends.resourceServer.builtIn && isWider(record, after)) requireWithin(admin.unlimited, scopes);
  return await keepAdministered(deps, stores, record.identityId, async () => {
    const next = await changeAccess(deps, stores, tell, ends, record, change, admin.actor);
    return await resultOf(deps, stores, next, ends);
  });
}

/** By the access that it is about: there waits at most one thing. */
function decideHandler<Id extends 'access.approve' | 'access.reject'>(
  deps: AccessHandlerDeps,
  verdict: 'approve' | 'reject',
): Handler<Id> {
  return {
    kind: 'write',
    async run(call, stores, tell) {
      // Both have the same input; the type of one stands for it.
      const { params, body, admin } = call as unknown as Call<'access.approve'>;
      const { record, ends } = await requireAccess(stores, params.id);
      const request = await waitingAbout(stores, record.id);
      await decideOn(deps, stores, tell, request, verdict, decisionOf(admin, body));
      const after = required(await stores.access.byId(record.id), 'access');
      return (await resultOf(deps, stores, after, ends)) as Result<Id>;
    },
  };
}

/** Merge patch (RFC 7396 §2): absent stays, null removes. Undefined: nothing was said. */
function conditionsAfter(
  before: AccessConditions | undefined,
  patch: BodyOf<'access.patch'>['conditions'],
): AccessConditions | null | undefined {
  if (patch === undefined || patch === null) return patch;
  const left = Object.entries({ ...before, ...patch }).filter(([, value]) => value !== null);
  const after: AccessConditions = Object.fromEntries(left);
  return left.length === 0 ? null : after;
}

/** The records of a page as answers, with one look at what waits and one at who said what. */
async function listed(
  deps: AccessHandlerDeps,
  page: ListedAccess['page'],
  isNow: boolean,
  uses: ListedAccess['uses'],
): Promise<Result<'access.list'>['body']> {
  const { storage } = deps;
  const identityOf = await identitiesOf(storage, page.items);
  const resourceServerOf = remembering((id) => storage.resourceServers.byId(id));
  const ids = isNow ? page.items.map(({ id }) => id) : [];
  const waiting = new Map((await storage.approvals.pendingOf(ids)).map((each) => [each.subjectId, each]));
  const said = await decisionsByRequest(storage, isNow ? [] : page.items);
  return await pageOf(page, async (record) => {
    const identity = identityOf(record.identityId);
    const resourceServer = required(await resourceServerOf(record.resourceServerId), 'resource server');
    const view = accessView(record, identity.clientId, resourceServer.identifier);
    if (!isNow) return { ...view, approvals: said(record) };
    const use = uses?.get(record.id);
    const request = waiting.get(record.id);
    const ends = { identity, resourceServer };
    return {
      ...view,
      expiring: isExpiring(deps, record),
      pending:
        request === undefined ? null : await pendingView(storage, request, askedFacts(record, ends, request)),
      ...(use === undefined ? {} : { usage: accessUsageView(use) }),
    };
  });
}

interface Found {
  readonly record: AccessRecord;
  readonly ends: AccessEnds;
}

async function requireAccess(
  stores: Pick<Stores, 'access' | 'identities' | 'resourceServers'>,
  id: string,
): Promise<Found> {
  const record = required(await stores.access.byId(id), 'access');
  return {
    record,
    ends: {
      identity: required(await stores.identities.byId(record.identityId), 'identity'),
      resourceServer: required(await stores.resourceServers.byId(record.resourceServerId), 'resource server'),
    },
  };
}

interface AccessResult {
  readonly body: Awaited<ReturnType<typeof accessAnswer>>;
  readonly version: number;
}

async function resultOf(
  deps: AnswerDeps,
  stores: AnswerStores,
  record: AccessRecord,
  ends: AccessEnds,
): Promise<AccessResult> {
  return { body: await accessAnswer(deps, stores, record, ends), version: record.version };
}
