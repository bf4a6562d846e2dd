import type { BodyOf, Decommissioning } from '@countersign/admin-api';
import type { AuditLog } from '../../audit/log.ts';
import { type AdministratorDeps, keepAdministered } from '../../registry/administrators.ts';
import { extendPlan, skipPhase } from '../../registry/change-plan.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import { gradualPlan, nextStep, planOf, refusedNow, stoppedPlan } from '../../registry/decommissioning.ts';
import { inactivityWindow } from '../../registry/inactivity.ts';
import { moveIdentity } from '../../registry/lifecycle.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import { NOTED_EVERY_MS } from '../../registry/use/credential-uses.ts';
import type { EndingCallers } from '../../registry/use/ending-callers.ts';
import { identityView, rfc3339 } from '../../registry/views.ts';
import type { EndingCaller } from '../../storage/ending-callers.ts';
import type { DecommissionPlan, IdentityRecord } from '../../storage/identities.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { Handler, NounHandlers } from './endpoint.ts';
import { findIdentity, required } from './find-record.ts';
import { ProblemError } from './problem.ts';
import { recentCallersOf } from './recent-callers.ts';

export interface DecommissioningDeps extends RuleDeps, AdministratorDeps {
  readonly storage: Pick<Storage, 'identities' | 'credentialUse' | 'endingCallers'>;
  readonly log: Pick<AuditLog, 'find'>;
  readonly ending: Pick<EndingCallers, 'flush'>;
}

/** How the end of an identity begins, goes on and is called off. */
export function decommissioningHandlers(deps: DecommissioningDeps): NounHandlers<'decommissioning'> & {
  readonly 'identities.decommission': Handler<'identities.decommission'>;
} {
  const { storage } = deps;
  return {
    'identities.decommission': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const record = required(await findIdentity(stores, params.id), 'identity');
        requireVersion(record.version);
        const used = await requireUnused(deps, stores, record, body.force);
        const plan = planFor(record, body, used, deps.clock.now());
        const moving = { move: 'decommission', reason: body.reason, actor: admin.actor, plan } as const;
        return await keepAdministered(deps, stores, record.id, async () => {
          const next = await moveIdentity(deps, stores, tell, record, moving);
          return { body: identityView(next), version: next.version };
        });
      },
      async foresee({ params }) {
        const record = required(await findIdentity(storage, params.id), 'identity');
        return { recent: await recentCallersOf(deps, record, deps.clock.now()) };
      },
    },

    'decommissioning.get': {
      kind: 'read',
      async run({ params }) {
        const record = required(await findIdentity(storage, params.id), 'identity');
        // What this process counted since the last minute is part of the answer.
        await deps.ending.flush();
        return await resultOf(storage, record, deps.clock.now());
      },
    },

    'decommissioning.extend': {
      kind: 'write',
      async run({ params, body, requireVersion }, stores, tell) {
        const record = required(await findIdentity(stores, params.id), 'identity');
        requireVersion(record.version);
        return await resultOf(stores, await extendPlan(deps, stores, tell, record, body), deps.clock.now());
      },
    },

    'decommissioning.skip': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const record = required(await findIdentity(stores, params.id), 'identity');
        requireVersion(record.version);
        const asked = { reason: body.reason, actor: admin.actor };
        const next = await keepAdministered(deps, stores, record.id, () =>
          skipPhase(deps, stores, tell, record, asked),
        );
        return await resultOf(stores, next, deps.clock.now());
      },
    },
  };
}

/** Whether it was used in its window; refused then, unless that is what is wanted. What never worked was never used. */
async function requireUnused(
  deps: RuleDeps,
  stores: Pick<Stores, 'credentialUse'>,
  record: IdentityRecord,
  force: boolean,
): Promise<boolean> {
  if (record.state !== 'active' && record.state !== 'suspended') return false;
  const lastUsedAt = (await stores.credentialUse.ofIdentities([record.id])).get(record.id);
  const window = inactivityWindow(record.cadence) ?? Infinity;
  if (lastUsedAt === undefined || lastUsedAt < deps.clock.now() - window - NOTED_EVERY_MS) return false;
  if (force) return true;
  throw new RegistryRefusal(
    'still_in_use',
    `it was last used at ${rfc3339(lastUsedAt)}: to end it all the same, force it; a dry run of that says by whom`,
    { pointer: '/force' },
  );
}

/** What is refused already needs no shadow. */
function planFor(
  record: IdentityRecord,
  { now: atOnce, phases }: BodyOf<'identities.decommission'>,
  forced: boolean,
  now: number,
): DecommissionPlan {
  if (record.state !== 'active' || atOnce) {
    return stoppedPlan(record.state === 'active' ? 'active' : 'suspended', phases.grace_days, now, forced);
  }
  return gradualPlan(
    {
      shadowDays: phases.shadow_days,
      brownOuts: phases.brown_outs,
      brownOutMinutes: phases.brown_out_minutes,
      brownOutEveryHours: phases.brown_out_every_hours,
      graceDays: phases.grace_days,
    },
    now,
    forced,
  );
}

async function resultOf(
  stores: Pick<Stores, 'endingCallers'>,
  record: IdentityRecord,
  now: number,
): Promise<{ readonly body: Decommissioning; readonly version: number }> {
  const { state } = record;
  const view = identityView({ ...record, decommissioning: planOf(record) });
  if ((state !== 'decommissioning' && state !== 'decommissioned') || view.decommissioning === null) {
    throw new ProblemError('not_found', { detail: `it is ${state} and not being decommissioned` });
  }
  const next = state === 'decommissioning' ? nextStep(planOf(record), now) : undefined;
  const body: Decommissioning = {
    identity: record.id,
    client_id: record.clientId,
    state,
    reason: record.stateReason ?? null,
    plan: view.decommissioning,
    next: next === undefined ? null : { what: next.what, at: rfc3339(next.at) },
    refused_now: state === 'decommissioned' || refusedNow(record, now) !== undefined,
    callers: (await stores.endingCallers.ofIdentity(record.id)).map(callerView),
    version: record.version,
  };
  return { body, version: record.version };
}

function callerView(caller: EndingCaller): Decommissioning['callers'][number] {
  return {
    phase: caller.phase,
    resource_server: caller.resourceServer === '' ? null : caller.resourceServer,
    instance: caller.instance === '' ? null : caller.instance,
    source: caller.source,
    agent: caller.agent,
    would_be_refused: caller.letThrough,
    refused: caller.refused,
    first_seen: rfc3339(caller.firstAt),
    last_seen: rfc3339(caller.lastAt),
  };
}
