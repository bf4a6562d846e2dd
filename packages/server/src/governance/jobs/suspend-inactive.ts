import { setImmediate as turn } from 'node:timers/promises';
import type { Actor, Changes } from '../../audit/change.ts';
import { type AdministratorDeps, keepAdministered } from '../../registry/administrators.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import { activityOf, staysWhenInactive } from '../../registry/inactivity.ts';
import { moveIdentity } from '../../registry/lifecycle.ts';
import { keepWatch } from '../../registry/use/watch.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Position } from '../../storage/page.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { Job } from './job.ts';
import { sweep } from './sweep.ts';

export interface SuspendInactiveDeps extends RuleDeps, AdministratorDeps {
  readonly storage: Pick<Storage, 'identities' | 'credentialUse' | 'settings'>;
  readonly changes: Changes;
  /** `report`: they are findings, and go on. */
  readonly inactivity: 'suspend' | 'report';
}

const HOUR_MS = 3_600_000;
/** Once a day for the whole deployment, however many nodes it has and however often they start. */
const ROUND_MS = 20 * HOUR_MS;
const SWEPT = 'lifecycle.inactive_swept_at';
const PAGE = 500;
const ACTOR: Actor = { identity: 'countersign' };

/**
 * Suspends identities that were not used for max(30 days, 2 × their cadence), where use would have been seen. The first run
 * looks at nobody: no start waits for it.
 */
export function suspendInactiveJob(deps: SuspendInactiveDeps): Job {
  let started = false;
  return {
    name: 'suspend-inactive',
    everyMs: HOUR_MS,
    async run(signal) {
      const now = deps.clock.now();
      const watchedSince = await keepWatch(deps.storage.settings, now);
      if (!started || deps.inactivity === 'report') {
        started = true;
        return;
      }
      if (now - Number((await deps.storage.settings.get(SWEPT)) ?? 0) < ROUND_MS) return;
      await suspendInactive(deps, watchedSince, signal);
      if (!signal.aborted) await deps.storage.settings.set(SWEPT, String(now));
    },
  };
}

export async function suspendInactive(
  deps: SuspendInactiveDeps,
  watchedSince: number,
  signal: AbortSignal,
): Promise<void> {
  let after: Position | undefined;
  do {
    const page = await deps.storage.identities.list({ state: 'active' }, { limit: PAGE, after });
    const quiet = await inactiveOf(deps, deps.storage, page.items, watchedSince);
    await sweep(
      {
        page: async (last) => (last === undefined ? quiet.map(({ id }) => ({ id, at: 0 })) : []),
        carryOut: (ids) => suspend(deps, ids, watchedSince),
        most: quiet.length,
      },
      signal,
    );
    after = page.next;
    // Tokens are issued meanwhile.
    await turn();
  } while (after !== undefined && !signal.aborted);
}

async function inactiveOf(
  { clock }: Pick<RuleDeps, 'clock'>,
  { credentialUse }: Pick<Stores, 'credentialUse'>,
  identities: readonly IdentityRecord[],
  watchedSince: number,
): Promise<readonly IdentityRecord[]> {
  const now = clock.now();
  const never = { lastUsedAt: undefined, watchedSince };
  // Of most it is clear without asking: they are too young, or may be quiet.
  const candidates = identities.filter(
    (each) =>
      each.state === 'active' && !staysWhenInactive(each) && activityOf(each, never, now) === 'unused',
  );
  if (candidates.length === 0) return [];
  const lastUses = await credentialUse.ofIdentities(candidates.map(({ id }) => id));
  return candidates.filter(
    (each) => activityOf(each, { lastUsedAt: lastUses.get(each.id), watchedSince }, now) === 'unused',
  );
}

async function suspend(
  deps: SuspendInactiveDeps,
  ids: readonly string[],
  watchedSince: number,
): Promise<void> {
  await deps.changes.run(ACTOR, async (stores, tell) => {
    for (const id of ids) {
      const record = await stores.identities.byId(id);
      const [still] = record === undefined ? [] : await inactiveOf(deps, stores, [record], watchedSince);
      if (still === undefined) continue;
      const moving = { move: 'suspend', reason: 'inactive', actor: ACTOR } as const;
      await keepAdministered(deps, stores, id, () => moveIdentity(deps, stores, tell, still, moving));
    }
  });
}
