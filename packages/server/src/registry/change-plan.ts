import type { DecommissionPlan, IdentityRecord } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import type { RuleDeps, Tell } from './change-rules.ts';
import { brownedOut, extended, planOf, refusedNow, withoutShadow } from './decommissioning.ts';
import { type Moving, moveIdentity, stopTokens } from './lifecycle.ts';
import { RegistryRefusal } from './refusal.ts';
import { identityView } from './views.ts';

/** What happens to an identity while it is being decommissioned, short of a move: lifecycle.ts has those. */

type Actor = Moving['actor'];

/**
 * Begins the brown-outs whose time has come. Its tokens are refused as well, or nobody would notice before they expire; for one that is
 * over already, because nobody was there to begin it, nothing is refused.
 */
export async function beginBrownOut(
  deps: RuleDeps,
  stores: Stores,
  tell: Tell,
  record: IdentityRecord,
  actor: Actor,
): Promise<IdentityRecord> {
  const now = deps.clock.now();
  const plan = brownedOut(planOf(record), now);
  const next = await replan(deps, stores, tell, record, plan, 'identity.brown_out', undefined);
  if (refusedNow(next, now) === 'brown_out') {
    await stopTokens(deps, stores, tell, next, 'brown-out, as announced', actor);
  }
  return next;
}

/** All that is still to come comes `days` later. */
export async function extendPlan(
  deps: RuleDeps,
  stores: Pick<Stores, 'identities'>,
  tell: Tell,
  record: IdentityRecord,
  asked: { readonly days: number; readonly reason: string },
): Promise<IdentityRecord> {
  requireEnding(record);
  const plan = extended(planOf(record), asked.days, deps.clock.now());
  return await replan(deps, stores, tell, record, plan, 'identity.end_extended', asked.reason);
}

/** Goes to the next phase now: from the shadow to the brown-outs, from those to the stop, from the grace to the end. */
export async function skipPhase(
  deps: RuleDeps,
  stores: Stores,
  tell: Tell,
  record: IdentityRecord,
  asked: { readonly reason: string; readonly actor: Actor },
): Promise<IdentityRecord> {
  requireEnding(record);
  const { phase, brownOuts } = planOf(record);
  const moving = { reason: asked.reason, actor: asked.actor };
  if (phase === 'stopped')
    return await moveIdentity(deps, stores, tell, record, { move: 'finish', ...moving });
  if (phase === 'brown_out' || brownOuts.length === 0) {
    return await moveIdentity(deps, stores, tell, record, { move: 'stop', ...moving });
  }
  const plan = withoutShadow(planOf(record), deps.clock.now());
  const next = await replan(deps, stores, tell, record, plan, 'identity.phase_skipped', asked.reason);
  return await beginBrownOut(deps, stores, tell, next, asked.actor);
}

function requireEnding({ state }: IdentityRecord): void {
  if (state === 'decommissioning') return;
  throw new RegistryRefusal('illegal_transition', `it is ${state} and not being decommissioned`);
}

async function replan(
  deps: RuleDeps,
  stores: Pick<Stores, 'identities'>,
  tell: Tell,
  record: IdentityRecord,
  plan: DecommissionPlan,
  type: string,
  reason: string | undefined,
): Promise<IdentityRecord> {
  const next: IdentityRecord = {
    ...record,
    decommissioning: plan,
    updatedAt: deps.clock.now(),
    version: record.version + 1,
  };
  await stores.identities.replace(next);
  tell({ type, resource: record.id, reason, before: identityView(record), after: identityView(next) });
  return next;
}
