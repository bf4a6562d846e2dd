import type { Actor } from '../audit/change.ts';
import { orderCutoff } from '../cutoff/order.ts';
import type { IdentityRecord, IdentityState } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import type { RuleDeps, Tell } from './change-rules.ts';
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
  'lapse',
  'finish',
] as const;
export type Move = (typeof MOVES)[number];

/** Why a move is refused although the state would allow it. */
type Guard = (record: IdentityRecord, now: number) => RegistryRefusal | undefined;

interface Transition {
  readonly from: readonly IdentityState[];
  readonly to: IdentityState;
  readonly event: string;
  readonly guards: readonly Guard[];
  /** Tokens that were issued before are refused from now on. */
  readonly stops: boolean;
}

const people: Guard = () =>
  new RegistryRefusal('needs_people', 'this decision is made by people, not by machines');

const notStoppedForSecurity: Guard = (record) =>
  record.securityStop
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

/**
 * Every legal move (product.md, identity states). Suspending has no guard and never will: whatever can act can be
 * stopped. What has not been active yet has nothing to stop, and may not reach `active` by way of `suspended`.
 */
export const TRANSITIONS: { readonly [move in Move]: Transition } = {
  submit: { from: ['draft'], to: 'requested', event: 'identity.submitted', guards: [], stops: false },
  approve: {
    from: ['requested'],
    to: 'approved',
    event: 'identity.approved',
    guards: [people],
    stops: false,
  },
  reject: { from: ['requested'], to: 'rejected', event: 'identity.rejected', guards: [people], stops: false },
  activate: {
    from: ['draft', 'approved'],
    to: 'active',
    event: 'identity.activated',
    guards: [notStoppedForSecurity, notExpired],
    stops: false,
  },
  suspend: {
    from: ['active', 'suspended'],
    to: 'suspended',
    event: 'identity.suspended',
    guards: [],
    stops: true,
  },
  resume: {
    from: ['suspended'],
    to: 'active',
    event: 'identity.resumed',
    guards: [notStoppedForSecurity, notExpired],
    stops: false,
  },
  decommission: {
    from: ['draft', 'requested', 'approved', 'active', 'suspended'],
    to: 'decommissioning',
    event: 'identity.decommissioning',
    guards: [notBuiltIn],
    stops: true,
  },
  restore: {
    from: ['decommissioning'],
    to: 'suspended',
    event: 'identity.restored',
    guards: [],
    stops: false,
  },
  lapse: { from: ['approved'], to: 'lapsed', event: 'identity.lapsed', guards: [], stops: false },
  finish: {
    from: ['decommissioning'],
    to: 'decommissioned',
    event: 'identity.decommissioned',
    guards: [notBuiltIn],
    stops: false,
  },
};

export interface Moving {
  readonly move: Move;
  readonly reason: string | undefined;
  readonly actor: Pick<Actor, 'identity'>;
  /** Stopped because it, or a secret of it, may be in wrong hands. */
  readonly security?: boolean;
}

/**
 * Makes a move with all that belongs to it in the caller's transaction: state, cut-off, events. The same record, and
 * no event, when it is where it should be already.
 */
export async function moveIdentity(
  deps: RuleDeps,
  stores: Pick<Stores, 'identities' | 'cutoffs'>,
  tell: Tell,
  record: IdentityRecord,
  moving: Moving,
): Promise<IdentityRecord> {
  const next = await changeState(deps, stores, tell, record, moving);
  if (next === record || !TRANSITIONS[moving.move].stops) return next;
  const cutoff = await orderCutoff(deps, stores, {
    kind: 'identity',
    target: record.clientId,
    reason: moving.reason ?? moving.move,
    orderedBy: moving.actor.identity,
  });
  tell({ type: 'cutoff.ordered', resource: cutoff.id, reason: cutoff.reason, after: cutoffView(cutoff) });
  return next;
}

/** The move without its cut-off, for who orders that one: cut-off.ts. */
export async function changeState(
  deps: RuleDeps,
  stores: Pick<Stores, 'identities'>,
  tell: Tell,
  record: IdentityRecord,
  moving: Moving,
): Promise<IdentityRecord> {
  const now = deps.clock.now();
  const transition = TRANSITIONS[moving.move];
  if (!transition.from.includes(record.state)) {
    throw new RegistryRefusal(
      'illegal_transition',
      `an identity that is ${record.state} cannot ${moving.move}`,
    );
  }
  for (const guard of transition.guards) {
    const refusal = guard(record, now);
    if (refusal !== undefined) throw refusal;
  }
  const securityStop = record.securityStop || moving.security === true;
  if (record.state === transition.to && record.securityStop === securityStop) return record;
  const next: IdentityRecord = {
    ...record,
    state: transition.to,
    stateReason: moving.reason,
    securityStop,
    updatedAt: now,
    version: record.version + 1,
  };
  await stores.identities.replace(next);
  tell({
    type: transition.event,
    resource: record.id,
    reason: moving.reason,
    before: identityView(record),
    after: identityView(next),
  });
  return next;
}
