import type { Actor } from '../audit/change.ts';
import { orderCutoff } from '../cutoff/order.ts';
import type { DecommissionPlan, IdentityRecord, IdentityState } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import { revokeAccess } from './access.ts';
import { heldOf } from './access-ends.ts';
import { identityNeedsApproval } from './approval/identity-request.ts';
import { voidPending } from './approval/request.ts';
import type { RuleDeps, Tell } from './change-rules.ts';
import { revokeCredential } from './credential.ts';
import { planOf, refusedNow, stopped, stoppedPlan, USUAL_PHASES } from './decommissioning.ts';
import { hasEnded } from './identity.ts';
import { requireAnswered } from './owner/living-owner.ts';
import { RegistryRefusal } from './refusal.ts';
import { cutoffView, identityView } from './views.ts';

/** What can happen to the state of an identity. */
export const MOVES = [
  'submit',
  'approve',
  'reject',
  'activate',
  'suspend',
  'resume',
  'decommission',
  'restore',
  'time_out',
  'lapse',
  'stop',
  'keep',
  'finish',
] as const;
export type Move = (typeof MOVES)[number];

/** Why a move is refused although the state would allow it. */
type Guard = (record: IdentityRecord, now: number, moving: Moving) => RegistryRefusal | undefined;

interface Transition {
  readonly edges: readonly Edge[];
  readonly guards: readonly Guard[];
  /** Tokens that were issued before are refused from now on, unless it goes on working. */
  readonly stops: boolean;
}

interface Edge {
  readonly from: readonly IdentityState[];
  readonly to: IdentityState;
  readonly event: string;
  /** Of what is being decommissioned then, or was; absent: there is no plan. */
  readonly plan?: (record: IdentityRecord, now: number, moving: Moving) => DecommissionPlan;
}

const people: Guard = (_record, _now, { actor }) =>
  actor.person === undefined
    ? new RegistryRefusal('needs_people', 'this decision is made by people, not by machines')
    : undefined;

const notStoppedForSecurity: Guard = (record, _now, { twoAgreed }) =>
  record.securityStop && twoAgreed !== true
    ? new RegistryRefusal(
        'needs_people',
        'it was stopped for security: going on takes two people and a new credential',
      )
    : undefined;

const notExpired: Guard = (record, now) =>
  record.expiresAt <= now
    ? new RegistryRefusal('illegal_transition', 'it has expired: extend it first')
    : undefined;

const notBuiltIn: Guard = (record) =>
  record.builtIn
    ? new RegistryRefusal('built_in', 'this identity is part of the authority itself')
    : undefined;

const provedWhereAsked: Guard = (record, _now, { proved }) =>
  record.activation === 'first_proof' && proved !== true
    ? new RegistryRefusal(
        'illegal_transition',
        'it was approved to become active by itself, when it first proves who it is',
      )
    : undefined;

const stillWorks: Guard = (record, now) =>
  refusedNow(record, now) === 'stopped'
    ? new RegistryRefusal('illegal_transition', 'it is stopped already: restore it')
    : undefined;

const withinGrace: Guard = (record, now) =>
  planOf(record).endsAt <= now
    ? new RegistryRefusal('illegal_transition', 'the time in which it could be restored is over')
    : undefined;

function edge(
  from: IdentityState | readonly IdentityState[],
  to: IdentityState,
  event: string,
  plan?: Edge['plan'],
): Edge {
  const edge: Edge = { from: typeof from === 'string' ? [from] : from, to, event: `identity.${event}` };
  return plan === undefined ? edge : { ...edge, plan };
}

/** What works still goes by the plan that was chosen; what does not is stopped, and has its grace. */
const chosenPlan: Edge['plan'] = (record, now, { plan }) =>
  plan ?? stoppedPlan(record.state === 'active' ? 'active' : 'suspended', USUAL_PHASES.graceDays, now, false);

const stoppedNow: Edge['plan'] = (record, now) => {
  const plan = planOf(record);
  return plan.phase === 'stopped' ? plan : stopped(plan, now);
};

/**
 * Every legal move (docs/operate/promises.md, states). Suspending has no guard and never will: whatever can act can be
 * stopped. (Who asks for more than a cut-off is kept from ending the last administrator: administrators.ts.) What has not been active yet has nothing to stop and nothing to come back to: it must not reach `active` by
 * way of `suspended`, past the people who approve.
 */
export const TRANSITIONS: { readonly [move in Move]: Transition } = {
  submit: { edges: [edge('draft', 'requested', 'submitted')], guards: [], stops: false },
  approve: { edges: [edge('requested', 'approved', 'approved')], guards: [people], stops: false },
  reject: { edges: [edge('requested', 'rejected', 'rejected')], guards: [people], stops: false },
  activate: {
    edges: [edge(['draft', 'approved'], 'active', 'activated')],
    guards: [notStoppedForSecurity, notExpired, provedWhereAsked],
    stops: false,
  },
  suspend: {
    edges: [
      edge(['active', 'suspended'], 'suspended', 'suspended'),
      // Its end goes on, and what works of it still is stopped.
      edge('decommissioning', 'decommissioning', 'stopped', stoppedNow),
    ],
    guards: [],
    stops: true,
  },
  resume: {
    edges: [edge('suspended', 'active', 'resumed')],
    guards: [notStoppedForSecurity, notExpired],
    stops: false,
  },
  decommission: {
    edges: [
      edge(['active', 'suspended'], 'decommissioning', 'decommissioning', chosenPlan),
      edge(['draft', 'requested', 'approved'], 'decommissioned', 'decommissioned'),
    ],
    guards: [notBuiltIn],
    stops: true,
  },
  restore: {
    edges: [edge('decommissioning', 'suspended', 'restored')],
    guards: [withinGrace],
    stops: true,
  },
  time_out: { edges: [edge('requested', 'rejected', 'rejected')], guards: [], stops: false },
  lapse: { edges: [edge(['draft', 'approved'], 'lapsed', 'lapsed')], guards: [], stops: false },
  stop: {
    edges: [edge('decommissioning', 'decommissioning', 'stopped', stoppedNow)],
    guards: [],
    stops: true,
  },
  keep: {
    edges: [edge('decommissioning', 'active', 'kept')],
    guards: [notStoppedForSecurity, notExpired, stillWorks],
    stops: false,
  },
  finish: {
    edges: [edge('decommissioning', 'decommissioned', 'decommissioned', planOf)],
    guards: [notBuiltIn],
    stops: false,
  },
};

/** Nothing that nobody answers for begins to act. */
const PUTS_TO_WORK: ReadonlySet<Move> = new Set<Move>(['approve', 'activate', 'resume', 'keep']);

export interface Moving {
  readonly move: Move;
  readonly reason: string | undefined;
  readonly actor: Pick<Actor, 'identity' | 'person'>;
  /** Stopped because it, or a secret of it, may be in wrong hands. */
  readonly security?: boolean;
  /** Two people said that it may go on after a security stop: security-resume.ts. */
  readonly twoAgreed?: boolean;
  /** Of `approve`: it becomes active when it first proves who it is, and in no other way. */
  readonly activation?: 'first_proof';
  /** Of `activate`: it has just proved who it is. */
  readonly proved?: boolean;
  /** Of `decommission`. Default: stopped at once. */
  readonly plan?: DecommissionPlan;
}

/**
 * Makes a move with all that belongs to it in the caller's transaction: state, cut-off, events. The same record, and
 * no event, when it is where it should be already.
 */
export async function moveIdentity(
  deps: RuleDeps,
  stores: Stores,
  tell: Tell,
  record: IdentityRecord,
  moving: Moving,
): Promise<IdentityRecord> {
  if (PUTS_TO_WORK.has(moving.move)) await requireAnswered(stores, record);
  if (moving.move === 'activate' && record.state === 'draft') await requireUnasked(stores, record, moving);
  const next = await changeState(deps, stores, tell, record, moving);
  if (next === record) return next;
  // Who called when it was to be ended before says nothing about now.
  if (moving.move === 'decommission') await stores.endingCallers.forget(next.id);
  if (record.state === 'requested') {
    await voidPending(deps, stores, tell, record.id, `the identity is ${next.state}`);
  }
  if (hasEnded(next)) await takeAll(deps, stores, tell, next);
  if (!TRANSITIONS[moving.move].stops || works(next, deps.clock.now())) return next;
  await stopTokens(deps, stores, tell, next, moving.reason ?? moving.move, moving.actor);
  return next;
}

/** Whether its requests are let through, as far as its state goes. */
function works(record: IdentityRecord, now: number): boolean {
  if (record.state === 'active') return true;
  return record.state === 'decommissioning' && refusedNow(record, now) === undefined;
}

/** The order to refuse the tokens that it has. */
export async function stopTokens(
  deps: RuleDeps,
  stores: Pick<Stores, 'cutoffs' | 'statusIndexes' | 'staleness'>,
  tell: Tell,
  record: IdentityRecord,
  reason: string,
  actor: Moving['actor'],
): Promise<void> {
  const cutoff = await orderCutoff(deps, stores, {
    kind: 'identity',
    target: record.clientId,
    reason,
    orderedBy: actor.identity,
  });
  tell({ type: 'cutoff.ordered', resource: cutoff.id, reason: cutoff.reason, after: cutoffView(cutoff) });
}

/** A draft goes straight to work only where no approval rule matches. */
async function requireUnasked(stores: Stores, record: IdentityRecord, { actor }: Moving): Promise<void> {
  if (await identityNeedsApproval(stores, record, actor)) {
    throw new RegistryRefusal('illegal_transition', 'an approval rule matches: submit it first');
  }
}

/** Nothing of what it held outlives it: a tombstone stays, and its history. */
async function takeAll(deps: RuleDeps, stores: Stores, tell: Tell, identity: IdentityRecord): Promise<void> {
  for (const credential of await stores.credentials.ofIdentity(identity.id)) {
    await revokeCredential(deps, stores, tell, identity, credential);
  }
  await stores.credentials.erase(identity.id);
  for (const access of await heldOf(stores, identity.id)) {
    const resourceServer = await stores.resourceServers.byId(access.resourceServerId);
    if (resourceServer !== undefined)
      await revokeAccess(deps, stores, tell, { identity, resourceServer }, access);
  }
}

/** The move without what follows from it, for who orders that one: cut-off.ts. */
export async function changeState(
  deps: RuleDeps,
  stores: Pick<Stores, 'identities'>,
  tell: Tell,
  record: IdentityRecord,
  moving: Moving,
): Promise<IdentityRecord> {
  const now = deps.clock.now();
  const transition = TRANSITIONS[moving.move];
  const taken = transition.edges.find(({ from }) => from.includes(record.state));
  if (taken === undefined) {
    const needed = transition.edges.flatMap(({ from }) => from).join(' or ');
    throw new RegistryRefusal(
      'illegal_transition',
      `to ${moving.move} an identity it has to be ${needed}, and this one is ${record.state}`,
    );
  }
  for (const guard of transition.guards) {
    const refusal = guard(record, now, moving);
    if (refusal !== undefined) throw refusal;
  }
  const securityStop = (record.securityStop && moving.twoAgreed !== true) || moving.security === true;
  const plan = taken.plan?.(record, now, moving);
  const { activation: _, decommissioning, ...rest } = record;
  const stays = record.state === taken.to;
  if (stays && record.securityStop === securityStop && plan === decommissioning) return record;
  const next: IdentityRecord = {
    ...rest,
    state: taken.to,
    stateReason: moving.reason,
    stateSince: stays ? record.stateSince : now,
    ...(moving.activation === undefined ? {} : { activation: moving.activation }),
    ...(plan === undefined ? {} : { decommissioning: plan }),
    securityStop,
    updatedAt: now,
    version: record.version + 1,
  };
  await stores.identities.replace(next);
  tell({
    type: taken.event,
    resource: record.id,
    reason: moving.reason,
    before: identityView(record),
    after: identityView(next),
  });
  return next;
}
