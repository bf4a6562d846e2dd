import { setImmediate as turn } from 'node:timers/promises';
import type { Actor, Changes } from '../../audit/change.ts';
import { type DeclaredPolicy, judge, type Judged } from '../../policy/declared/judge.ts';
import { holdsAt } from '../../policy/declared/policy-rule.ts';
import { type AdministratorDeps, keepAdministered } from '../../registry/administrators.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import { activityOf, staysWhenInactive } from '../../registry/inactivity.ts';
import { moveIdentity } from '../../registry/lifecycle.ts';
import { policyFactsOf } from '../../registry/policy/facts.ts';
import { exemptOf } from '../../registry/policy/in-force.ts';
import { keepWatch } from '../../registry/use/watch.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Position } from '../../storage/page.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { Job } from './job.ts';
import { sweep } from './sweep.ts';

export interface SuspendInactiveDeps extends RuleDeps, AdministratorDeps {
  readonly storage: Pick<
    Storage,
    'identities' | 'credentialUse' | 'settings' | 'policies' | 'policyExceptions'
  >;
  readonly changes: Changes;
  /** `report`: they are findings, and go on, unless an enforced policy has it otherwise. */
  readonly inactivity: 'suspend' | 'report';
}

const HOUR_MS = 3_600_000;
/** Once a day for the whole deployment, however many nodes it has and however often they start. */
const ROUND_MS = 20 * HOUR_MS;
const SWEPT = 'lifecycle.inactive_swept_at';
const PAGE = 500;
const ACTOR: Actor = { identity: 'countersign' };

/**
 * Suspends identities that were not used for max(30 days, 2 × their cadence), or for as long as an enforced policy says,
 * where use would have been seen. The first run looks at nobody: no start waits for it.
 */
export function suspendInactiveJob(deps: SuspendInactiveDeps): Job {
  let started = false;
  return {
    name: 'suspend-inactive',
    everyMs: HOUR_MS,
    async run(signal) {
      const now = deps.clock.now();
      const watchedSince = await keepWatch(deps.storage.settings, now);
      if (!started) {
        started = true;
        return;
      }
      if (deps.inactivity === 'report' && (await enforcedPolicies(deps.storage)).length === 0) return;
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

async function enforcedPolicies({ policies }: Pick<Stores, 'policies'>): Promise<readonly DeclaredPolicy[]> {
  return (await policies.active()).filter(({ rule, mode }) => rule === 'inactivity' && mode === 'enforce');
}

async function inactiveOf(
  { clock, inactivity }: Pick<SuspendInactiveDeps, 'clock' | 'inactivity'>,
  stores: Pick<Stores, 'credentialUse' | 'policies' | 'policyExceptions'>,
  identities: readonly IdentityRecord[],
  watchedSince: number,
): Promise<readonly IdentityRecord[]> {
  const now = clock.now();
  const policies = await enforcedPolicies(stores);
  const isQuiet = (each: IdentityRecord, lastUsedAt: number | undefined): boolean =>
    inactivity === 'suspend' && activityOf(each, { lastUsedAt, watchedSince }, now) === 'unused';
  const broken = (each: IdentityRecord, lastUsedAt: number | undefined) => {
    const facts = { identity: each, credentials: [], access: [] };
    const known = policyFactsOf(facts, { use: { lastUsedAt, watchedSince } });
    return judge(policies, known).filter(({ breach }) => holdsAt(breach, now));
  };
  // Of most it is clear without asking: they are too young, or may be quiet.
  const candidates = identities.filter(
    (each) =>
      each.state === 'active' &&
      !staysWhenInactive(each) &&
      (isQuiet(each, undefined) || broken(each, undefined).length > 0),
  );
  if (candidates.length === 0) return [];
  const lastUses = await stores.credentialUse.ofIdentities(candidates.map(({ id }) => id));
  const found: IdentityRecord[] = [];
  for (const each of candidates) {
    const lastUsedAt = lastUses.get(each.id);
    const breaches = isQuiet(each, lastUsedAt) ? [] : broken(each, lastUsedAt);
    if (isQuiet(each, lastUsedAt) || (await isNotExcepted(stores, each, breaches, now))) found.push(each);
  }
  return found;
}

async function isNotExcepted(
  { policyExceptions }: Pick<Stores, 'policyExceptions'>,
  { id }: IdentityRecord,
  breaches: readonly Judged[],
  now: number,
): Promise<boolean> {
  if (breaches.length === 0) return false;
  const exempt = exemptOf(await policyExceptions.ofIdentity(id));
  return breaches.some(({ policy }) => (exempt.get(policy.id) ?? 0) <= now);
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
