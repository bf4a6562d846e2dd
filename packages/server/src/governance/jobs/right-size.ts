import type { Actor, Changes } from '../../audit/change.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import { bringProposals, hasNews } from '../../registry/right-sizing/proposal.ts';
import { readSizes, type SizeStores } from '../../registry/right-sizing/read-size.ts';
import { verdictsOf } from '../../registry/right-sizing/verdict.ts';
import { StorageError } from '../../storage/errors.ts';
import type { Position } from '../../storage/page.ts';
import type { ProposalRecord } from '../../storage/proposals.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { Job } from './job.ts';
import { CALM, createPacer, type Pacer } from '../../telemetry/pacer.ts';

export interface RightSizeDeps extends RuleDeps {
  readonly storage: SizeStores & Pick<Storage, 'identities' | 'proposals'>;
  readonly changes: Changes;
  /** Seconds that tokens live where nothing else is said. */
  readonly lifetimes: { readonly default: number };
  /** Absent: that of the clock on the wall. */
  readonly pacer?: Pacer;
}

const HOUR_MS = 3_600_000;
/** Once a day for the whole deployment, however many nodes it has and however often they start. */
const ROUND_MS = 20 * HOUR_MS;
const ROUND = 'right_sizing.round_at';
const PAGE = 50;
const ACTOR: Actor = { identity: 'countersign' };

/** Judges daily what every identity has by what it uses. The first run looks at nobody: no start waits for it. */
export function rightSizeJob(deps: RightSizeDeps): Job {
  let started = false;
  return {
    name: 'right-size',
    everyMs: HOUR_MS,
    async run(signal) {
      if (!started) {
        started = true;
        return;
      }
      const now = deps.clock.now();
      if (now - Number((await deps.storage.settings.get(ROUND)) ?? 0) < ROUND_MS) return;
      await rightSize(deps, signal);
      if (!signal.aborted) await deps.storage.settings.set(ROUND, String(now));
    },
  };
}

export async function rightSize(deps: RightSizeDeps, signal: AbortSignal): Promise<void> {
  const pacer = deps.pacer ?? createPacer(CALM);
  let after: Position | undefined;
  do {
    const page = await deps.storage.identities.list({}, { limit: PAGE, after });
    await lookAtPage(
      deps,
      page.items.map(({ id }) => id),
      pacer,
      signal,
    );
    after = page.next;
  } while (after !== undefined && !signal.aborted);
}

async function lookAtPage(
  deps: RightSizeDeps,
  ids: readonly string[],
  pacer: Pacer,
  signal: AbortSignal,
): Promise<void> {
  const live = groupsOf(await deps.storage.proposals.liveOf(ids));
  for (const id of ids) {
    if (signal.aborted) return;
    if (await hasNewsOf(deps, deps.storage, id, live.get(id) ?? [])) await bring(deps, id);
    await pacer.breathe(signal);
  }
}

type Looking = SizeStores & Pick<Stores, 'identities'>;

async function hasNewsOf(
  { clock, lifetimes }: Pick<RightSizeDeps, 'clock' | 'lifetimes'>,
  stores: Looking,
  id: string,
  live: readonly ProposalRecord[],
): Promise<boolean> {
  const now = clock.now();
  const identity = await stores.identities.byId(id);
  const [size] = identity === undefined ? [] : await readSizes(stores, [identity], lifetimes.default, now);
  return size !== undefined && hasNews(verdictsOf(size, now), live, now);
}

/** Looked at once more in its transaction, so that two nodes at once do nothing twice. */
async function bring(deps: RightSizeDeps, id: string): Promise<void> {
  try {
    await deps.changes.run(ACTOR, async (stores, tell) => {
      const now = deps.clock.now();
      const identity = await stores.identities.byId(id);
      const [size] =
        identity === undefined ? [] : await readSizes(stores, [identity], deps.lifetimes.default, now);
      if (identity === undefined || size === undefined) return;
      const live = await stores.proposals.liveOf([id]);
      await bringProposals(deps, stores, tell, identity, verdictsOf(size, now), live);
    });
  } catch (error) {
    // Another node was faster: what it did is what was to be done.
    if (!(error instanceof StorageError) || error.fault === 'unavailable') throw error;
  }
}

function groupsOf(records: readonly ProposalRecord[]): ReadonlyMap<string, readonly ProposalRecord[]> {
  const groups = new Map<string, ProposalRecord[]>();
  for (const record of records) {
    const own = groups.get(record.identityId) ?? [];
    own.push(record);
    groups.set(record.identityId, own);
  }
  return groups;
}
