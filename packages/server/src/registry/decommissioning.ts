import type { BrownOut, DecommissionPlan, IdentityRecord } from '../storage/identities.ts';
import { RegistryRefusal } from './refusal.ts';

/** How an identity ends, as far as the clock decides it: pure. What each phase does is done in lifecycle.ts. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What whoever decommissions may choose. */
export interface Phases {
  /** 3 to 7. */
  readonly shadowDays: number;
  /** 0 to 10. */
  readonly brownOuts: number;
  /** 1 to 60. */
  readonly brownOutMinutes: number;
  /** From the beginning of one to that of the next, and from that of the last one to the stop; 1 to 168. */
  readonly brownOutEveryHours: number;
  /** 1 to 365: for how long it can be brought back once it is stopped. */
  readonly graceDays: number;
}

export const USUAL_PHASES: Phases = {
  shadowDays: 3,
  brownOuts: 3,
  brownOutMinutes: 5,
  brownOutEveryHours: 24,
  graceDays: 30,
};

/** However often it is extended. */
export const LONGEST_PLAN_DAYS = 365;

/** The plan of an identity that works until then. */
export function gradualPlan(phases: Phases, now: number, forced: boolean): DecommissionPlan {
  const shadowUntil = now + phases.shadowDays * DAY_MS;
  const every = phases.brownOutEveryHours * HOUR_MS;
  const brownOuts = Array.from({ length: phases.brownOuts }, (_, index): BrownOut => {
    const from = shadowUntil + index * every;
    return { from, to: from + phases.brownOutMinutes * MINUTE_MS };
  });
  const stopAt = shadowUntil + phases.brownOuts * every;
  const endsAt = stopAt + phases.graceDays * DAY_MS;
  return withNext({
    from: 'active',
    beganAt: now,
    phase: 'shadow',
    shadowUntil,
    brownOuts,
    brownOutsBegun: 0,
    stopAt,
    endsAt,
    forced,
  });
}

/** The plan of one that is refused already, or is to be from now on. */
export function stoppedPlan(
  from: DecommissionPlan['from'],
  graceDays: number,
  now: number,
  forced: boolean,
): DecommissionPlan {
  const endsAt = now + graceDays * DAY_MS;
  const past = { shadowUntil: now, brownOuts: [], brownOutsBegun: 0, stopAt: now };
  return { from, beganAt: now, phase: 'stopped', ...past, endsAt, nextAt: endsAt, forced };
}

/** The plan of this identity. One that was decommissioned before there were plans was stopped at once. */
export function planOf(record: IdentityRecord): DecommissionPlan {
  return record.decommissioning ?? stoppedPlan('suspended', USUAL_PHASES.graceDays, record.stateSince, false);
}

/** Whether it is refused now, and whether only for a while. By the clock: no job has to have run. */
export function refusedNow(record: IdentityRecord, now: number): 'brown_out' | 'stopped' | undefined {
  const plan = record.decommissioning;
  if (plan === undefined || plan.phase === 'stopped' || plan.stopAt <= now || record.securityStop) {
    return 'stopped';
  }
  return plan.brownOuts.some(({ from, to }) => from <= now && now < to) ? 'brown_out' : undefined;
}

/** What is to be done for the plan now, one thing after the other. Empty: nothing. */
export type DueStep = 'brown_out' | 'stop' | 'finish';

/** What the clock demands of an identity that is being decommissioned. Undefined: nothing yet. */
export function dueStep(record: IdentityRecord, now: number): DueStep | undefined {
  const plan = planOf(record);
  if (plan.phase === 'stopped') return plan.endsAt <= now ? 'finish' : undefined;
  if (plan.stopAt <= now || record.expiresAt <= now) return 'stop';
  const next = plan.brownOuts[plan.brownOutsBegun];
  return (next !== undefined && next.from <= now) || (plan.phase === 'shadow' && plan.shadowUntil <= now)
    ? 'brown_out'
    : undefined;
}

/** Begins the brown-outs whose time has come. One that is over, since nobody was there to begin it, is left out. */
export function brownedOut(plan: DecommissionPlan, now: number): DecommissionPlan {
  const begun = plan.brownOuts.filter(({ from }) => from <= now).length;
  return withNext({ ...plan, phase: 'brown_out', brownOutsBegun: begun });
}

export function stopped(plan: DecommissionPlan, now: number): DecommissionPlan {
  const grace = plan.endsAt - plan.stopAt;
  return withNext({
    ...plan,
    phase: 'stopped',
    shadowUntil: Math.min(plan.shadowUntil, now),
    brownOuts: plan.brownOuts.filter(({ from }) => from <= now),
    stopAt: Math.min(plan.stopAt, now),
    // After an outage the grace begins when callers are refused for this reason, and not for another.
    endsAt: now + grace,
  });
}

/** All that is still to come comes `days` later. */
export function extended(plan: DecommissionPlan, days: number, now: number): DecommissionPlan {
  const later = days * DAY_MS;
  const shift = (at: number): number => (at > now ? at + later : at);
  const next = withNext({
    ...plan,
    shadowUntil: shift(plan.shadowUntil),
    brownOuts: plan.brownOuts.map((each) =>
      each.from > now ? { from: each.from + later, to: each.to + later } : each,
    ),
    stopAt: shift(plan.stopAt),
    endsAt: shift(plan.endsAt),
  });
  if (next.endsAt > plan.beganAt + LONGEST_PLAN_DAYS * DAY_MS) {
    throw new RegistryRefusal(
      'end_out_of_range',
      `a decommissioning takes at most ${LONGEST_PLAN_DAYS} days from its beginning`,
      { pointer: '/days' },
    );
  }
  return next;
}

/** The shadow ends now: all that is still to come moves up. */
export function withoutShadow(plan: DecommissionPlan, now: number): DecommissionPlan {
  const sooner = Math.max(0, plan.shadowUntil - now);
  return withNext({
    ...plan,
    shadowUntil: plan.shadowUntil - sooner,
    brownOuts: plan.brownOuts.map(({ from, to }) => ({ from: from - sooner, to: to - sooner })),
    stopAt: plan.stopAt - sooner,
    endsAt: plan.endsAt - sooner,
  });
}

/** What a plan announces next, by the clock. */
export function nextStep(
  plan: DecommissionPlan,
  now: number,
): { readonly what: 'brown_out' | 'stop' | 'end'; readonly at: number } {
  if (plan.phase === 'stopped' || plan.stopAt <= now) return { what: 'end', at: plan.endsAt };
  const brownOut = plan.brownOuts.find(({ from }) => from > now);
  return brownOut === undefined
    ? { what: 'stop', at: plan.stopAt }
    : { what: 'brown_out', at: brownOut.from };
}

function withNext(plan: Omit<DecommissionPlan, 'nextAt'>): DecommissionPlan {
  return { ...plan, nextAt: nextOf(plan) };
}

function nextOf(plan: Omit<DecommissionPlan, 'nextAt'>): number {
  if (plan.phase === 'stopped') return plan.endsAt;
  const brownOut = plan.brownOuts[plan.brownOutsBegun]?.from ?? plan.stopAt;
  return Math.min(brownOut, plan.stopAt, plan.phase === 'shadow' ? plan.shadowUntil : plan.stopAt);
}
