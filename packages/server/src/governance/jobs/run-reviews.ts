import { setImmediate as turn } from 'node:timers/promises';
import type { Actor, Changes } from '../../audit/change.ts';
import type { Tell } from '../../registry/change-rules.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import { StorageError } from '../../storage/errors.ts';
import type { ReviewRecord } from '../../storage/reviews.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { DecideDeps } from '../reviews/decide.ts';
import { fillReview } from '../reviews/fill.ts';
import { checkRemediation } from '../reviews/remediation.ts';
import { advanceReview, openOnTime } from '../reviews/schedule.ts';
import { spareSilent, suspendSilent } from '../reviews/silence.ts';
import type { Job } from './job.ts';
import { sweep } from './sweep.ts';

export interface RunReviewsDeps extends DecideDeps {
  readonly storage: Pick<Storage, 'reviews' | 'reviewItems'>;
  readonly changes: Changes;
  /** Items of one campaign at most. */
  readonly mostItems: number;
}

const EVERY_MS = 60_000;
const BATCH = 50;
const ACTOR: Actor = { identity: 'countersign' };

/**
 * What time does to reviews: opens, fills, reminds, hands to the fallback, suspends what nobody decided on, looks whether what was
 * taken away is used still, and ends what is done. Each step is a transaction that looks once more; what was missed is done later.
 */
export function runReviewsJob(deps: RunReviewsDeps): Job {
  return {
    name: 'run-reviews',
    everyMs: EVERY_MS,
    async run(signal) {
      await checkAll(deps, signal);
      const failed: unknown[] = [];
      for (;;) {
        const due = await deps.storage.reviews.due(deps.clock.now(), BATCH);
        let advanced = 0;
        for (const review of due) {
          if (signal.aborted) return;
          try {
            if (await runOne(deps, review, signal)) advanced++;
          } catch (error) {
            failed.push(error);
          }
        }
        // What stays due is somebody else's to take, or fails.
        if (due.length < BATCH || advanced === 0) break;
      }
      if (failed.length > 0) throw failed[0];
    },
  };
}

async function checkAll(deps: RunReviewsDeps, signal: AbortSignal): Promise<void> {
  const now = deps.clock.now();
  await sweep(
    {
      page: (after, limit) => deps.storage.reviewItems.toCheck(now, { limit, after }),
      carryOut: (ids) =>
        deps.changes.run(ACTOR, async (stores, tell) => {
          for (const id of ids) await checkRemediation(deps, stores, tell, id);
        }),
    },
    signal,
  );
}

/** Whether it is another one by now. */
async function runOne(deps: RunReviewsDeps, review: ReviewRecord, signal: AbortSignal): Promise<boolean> {
  if (review.state === 'planned') {
    const opened = await step(deps, review.id, (stores, tell, now) =>
      now.state === 'planned' ? openOnTime(deps, stores, tell, now) : Promise.resolve(now),
    );
    return opened !== undefined && (await fillAll(deps, opened, signal));
  }
  if (review.state === 'starting') return await fillAll(deps, review, signal);
  if (review.state === 'overdue' && review.silenceAt <= deps.clock.now())
    await suspendAll(deps, review, signal);
  if (signal.aborted) return false;
  const next = await step(deps, review.id, (stores, tell, now) => advanceReview(deps, stores, tell, now));
  return next !== undefined;
}

/** Undefined when another node was faster: what it did is what was to be done. */
async function step(
  deps: RunReviewsDeps,
  id: string,
  work: (stores: Stores, tell: Tell, review: ReviewRecord) => Promise<ReviewRecord>,
): Promise<ReviewRecord | undefined> {
  try {
    return await deps.changes.run(ACTOR, async (stores, tell) => {
      const review = await stores.reviews.byId(id);
      return review === undefined ? undefined : await work(stores, tell, review);
    });
  } catch (error) {
    if (error instanceof StorageError && error.fault !== 'unavailable') return undefined;
    throw error;
  }
}

async function fillAll(deps: RunReviewsDeps, review: ReviewRecord, signal: AbortSignal): Promise<boolean> {
  let filled: ReviewRecord | undefined = review;
  while (filled?.state === 'starting' && !signal.aborted) {
    filled = await step(deps, review.id, (stores, tell, now) =>
      fillReview(deps, stores, tell, now, deps.mostItems),
    );
    // Tokens are issued meanwhile.
    await turn();
  }
  return filled !== undefined && filled.version !== review.version;
}

async function suspendAll(deps: RunReviewsDeps, review: ReviewRecord, signal: AbortSignal): Promise<void> {
  await sweep(
    {
      page: async (after, limit) => {
        const page = await deps.storage.reviewItems.list(
          review.id,
          { state: 'pending' },
          { limit, after: after && { createdAt: after.at, id: after.id } },
        );
        return page.items.map(({ id, createdAt }) => ({ id, at: createdAt }));
      },
      carryOut: (ids) => suspend(deps, review.id, ids),
    },
    signal,
  );
}

async function suspend(deps: RunReviewsDeps, reviewId: string, ids: readonly string[]): Promise<void> {
  const each = (work: typeof suspendSilent): Promise<void> =>
    deps.changes.run(ACTOR, async (stores, tell) => {
      for (const id of ids) await work(deps, stores, tell, reviewId, id);
    });
  try {
    await each(suspendSilent);
  } catch (error) {
    const isLast = error instanceof RegistryRefusal && error.reason === 'last_administrator';
    // Of several in one transaction it is not known which: each then has its own.
    if (!isLast || ids.length > 1) throw error;
    await each(spareSilent);
  }
}
