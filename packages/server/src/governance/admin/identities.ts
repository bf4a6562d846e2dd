import type { BodyOf, ResponseOf } from '@countersign/admin-api';
import { type AdministratorDeps, keepAdministered } from '../../registry/administrators.ts';
import { requestIdentity } from '../../registry/approval/identity-request.ts';
import { identityFacts } from '../../registry/approval/content.ts';
import { createIdentity } from '../../registry/identity.ts';
import { type Move, moveIdentity } from '../../registry/lifecycle.ts';
import type { OwnerDeps } from '../../registry/owner/acceptance.ts';
import { changeOwnedIdentity } from '../../registry/owner/assign.ts';
import { openOfferOf } from '../../registry/owner/offer-state.ts';
import { type ClockView, clockView, type OfferView, offerView } from '../../registry/owner/view.ts';
import { resumeAfterSecurity } from '../../registry/security-resume.ts';
import { identityView } from '../../registry/views.ts';
import type { IdentityRecord, Owner } from '../../storage/identities.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { type AnswerStores, pendingView } from './access-answer.ts';
import { type Admin, lackOf, missingScopes } from './admin.ts';
import { decideOn, decisionOf, waitingAbout } from './approvals.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { Call, Handler, NounHandlers, Result } from './endpoint.ts';
import { findIdentity, required } from './find-record.ts';
import { type RiskDeps, summaryOf } from './risk.ts';
import { ProblemError } from './problem.ts';

export function identityHandlers(
  deps: OwnerDeps &
    AdministratorDeps &
    RiskDeps & {
      readonly storage: Pick<
        Storage,
        'identities' | 'approvals' | 'approvalRules' | 'ownershipClocks' | 'ownershipOffers'
      >;
    },
): Omit<NounHandlers<'identities'>, 'identities.decommission'> {
  const { storage } = deps;
  return {
    'identities.create': {
      kind: 'write',
      async run({ body, admin }, stores, tell) {
        const record = await createIdentity(deps, stores, tell, {
          name: body.name,
          kind: body.kind,
          environment: body.environment,
          purpose: body.purpose,
          owner: { person: body.owner.person, backup: body.owner.backup, team: body.owner.team },
          sensitivity: body.sensitivity,
          cadence: body.cadence,
          clientId: body.client_id,
          expiresAt: Date.parse(body.expires_at),
          state: body.state,
          by: admin.actor,
        });
        return { ...(await resultOf(stores, record)), location: `/v1/identities/${record.id}` };
      },
    },

    'identities.list': {
      kind: 'read',
      async run({ query }) {
        const filter = {
          state: query.state,
          kind: query.kind,
          environment: query.environment,
          ownerPerson: query.owner_person,
          ownerTeam: query.owner_team,
          text: query.text,
        };
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        return { body: await pageOf(await storage.identities.list(filter, page), identityView) };
      },
    },

    'identities.get': {
      kind: 'read',
      async run({ params, query }) {
        const record = required(await findIdentity(storage, params.id), 'identity');
        if (query.as_of === undefined) {
          const { body, version } = await resultOf(storage, record);
          const more = { ...(await changingHands(storage, record)), ...(await summaryOf(deps, record)) };
          return { body: { ...body, ...more }, version };
        }
        const then = await storage.identities.asOf(record.id, Date.parse(query.as_of));
        return { body: identityView(required(then, 'identity at that time')) };
      },
    },

    'identities.patch': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const record = required(await findIdentity(stores, params.id), 'identity');
        requireVersion(record.version);
        const { expires_at: end, owner, ...rest } = body;
        const change = {
          ...rest,
          owner: owner && mergeOwner(record.owner, owner),
          confirms: owner?.person !== undefined,
          expiresAt: end === undefined ? undefined : Date.parse(end),
        };
        return await keepAdministered(deps, stores, record.id, async () =>
          resultOf(stores, await changeOwnedIdentity(deps, stores, tell, record, change, admin.actor)),
        );
      },
    },

    'identities.submit': moveHandler(deps, 'submit'),
    'identities.approve': decideHandler(deps, 'approve'),
    'identities.reject': decideHandler(deps, 'reject'),
    'identities.activate': moveHandler(deps, 'activate'),
    'identities.suspend': moveHandler(deps, 'suspend'),
    'identities.resume': moveHandler(deps, 'resume'),
    'identities.keep': moveHandler(deps, 'keep'),
    'identities.restore': moveHandler(deps, 'restore'),
  };
}

type MoveId = Exclude<
  keyof NounHandlers<'identities'>,
  | 'identities.create'
  | 'identities.list'
  | 'identities.get'
  | 'identities.patch'
  | 'identities.approve'
  | 'identities.reject'
  | 'identities.decommission'
>;

function moveHandler<Id extends MoveId>(deps: OwnerDeps & AdministratorDeps, move: Move): Handler<Id> {
  return {
    kind: 'write',
    async run(call, stores, tell) {
      // All moves have the same input; the type of one stands for it.
      const { params, body, admin, requireVersion } = call as unknown as Call<'identities.submit'>;
      const record = required(await findIdentity(stores, params.id), 'identity');
      requireVersion(record.version);
      const moving = { move, reason: body.reason, actor: admin.actor };
      return await keepAdministered(deps, stores, record.id, async () => {
        const secured = move === 'resume' && record.securityStop;
        if (secured) requireDecider(admin);
        const carryOut = secured ? resumeAfterSecurity : moveIdentity;
        const moved = await carryOut(deps, stores, tell, record, moving);
        if (move === 'submit') await requestIdentity(deps, stores, tell, moved, admin.actor);
        return (await resultOf(stores, moved)) as Result<Id>;
      });
    },
  };
}

/** The clock that runs since its owner left, and the open offer, if there is either. */
async function changingHands(
  stores: Pick<Stores, 'ownershipClocks' | 'ownershipOffers'>,
  record: IdentityRecord,
): Promise<{ ownership?: { clock: ClockView | null; offer: OfferView | null } }> {
  const clock = await stores.ownershipClocks.ofIdentity(record.id);
  const offer = await openOfferOf(stores, record.id);
  if (clock === undefined && offer === undefined) return {};
  return {
    ownership: {
      clock: clock === undefined ? null : clockView(clock, record),
      offer: offer === undefined ? null : offerView(offer, record.clientId),
    },
  };
}

/** Going on after a security stop is a decision, like an approval. */
function requireDecider(admin: Admin): void {
  const missing = missingScopes(admin, ['approvals:write']);
  if (missing.length > 0) throw new ProblemError('insufficient_scope', { detail: lackOf(admin, missing) });
}

function decideHandler<Id extends 'identities.approve' | 'identities.reject'>(
  deps: OwnerDeps & AdministratorDeps,
  verdict: 'approve' | 'reject',
): Handler<Id> {
  return {
    kind: 'write',
    async run(call, stores, tell) {
      // Both have the same input; the type of one stands for it.
      const { params, body, admin, requireVersion } = call as unknown as Call<'identities.approve'>;
      const record = required(await findIdentity(stores, params.id), 'identity');
      requireVersion(record.version);
      const request = await waitingAbout(stores, record.id);
      await decideOn(deps, stores, tell, request, verdict, decisionOf(admin, body));
      const after = required(await stores.identities.byId(record.id), 'identity');
      return (await resultOf(stores, after)) as Result<Id>;
    },
  };
}

interface IdentityResult {
  readonly body: ResponseOf<'identities.get'>;
  readonly version: number;
}

async function resultOf(stores: AnswerStores, record: IdentityRecord): Promise<IdentityResult> {
  const [pending] = record.state === 'requested' ? await stores.approvals.pendingOf([record.id]) : [];
  const facts = identityFacts(record);
  return {
    body: {
      ...identityView(record),
      pending: pending === undefined ? null : await pendingView(stores, pending, facts),
    },
    version: record.version,
  };
}

/** Merge patch (RFC 7396 §2): absent stays, null removes. */
function mergeOwner(owner: Owner, patch: NonNullable<BodyOf<'identities.patch'>['owner']>): Owner {
  return {
    person: patch.person ?? owner.person,
    backup: patch.backup === undefined ? owner.backup : (patch.backup ?? undefined),
    team: patch.team === undefined ? owner.team : (patch.team ?? undefined),
  };
}
