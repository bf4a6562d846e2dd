import type { RuleDeps, Tell } from '../../registry/change-rules.ts';
import type { ReviewRecord } from '../../storage/reviews.ts';
import type { Stores } from '../../storage/storage.ts';
import { closeReview, MOST_REMINDED, replaceReview, startReview } from './campaign.ts';

/** How often an open campaign is looked at whether everything in it is decided. */
const LOOKED_AT_EVERY_MS = 600_000;
const AGAIN_AFTER_MS = 60_000;

type ScheduleStores = Pick<Stores, 'reviews' | 'reviewItems'>;

/** What a campaign that was to open by itself does now. Too late for that: it ends, and says so. */
export async function openOnTime(
  deps: RuleDeps,
  stores: ScheduleStores,
  tell: Tell,
  review: ReviewRecord,
): Promise<ReviewRecord> {
  if (review.dueAt - deps.clock.now() >= 86_400_000) return await startReview(deps, stores, tell, review);
  return await closeReview(deps, stores, tell, review, 'it could not open a day before it was due');
}

/**
 * What time does to a campaign that is open, in the caller's transaction: reminders, then the fallback's time; its end, when
 * everything is decided and looked after. Reminders that were missed are one. Whom silence suspends is silence.ts.
 */
export async function advanceReview(
  deps: RuleDeps,
  stores: ScheduleStores,
  tell: Tell,
  review: ReviewRecord,
): Promise<ReviewRecord> {
  if (review.state !== 'open' && review.state !== 'overdue') return review;
  const now = deps.clock.now();
  const { states, remediation } = await stores.reviewItems.counts(review.id);
  if (states.pending === 0 && remediation.pending === 0) {
    const end = { state: 'completed', endedAt: now, nextAt: undefined } as const;
    return await replaceReview(deps, stores, tell, review, 'review.completed', end, undefined, {
      states,
      remediation,
    });
  }
  if (review.state === 'open' && review.dueAt <= now) {
    const waiting = await stores.reviewItems.waiting(review.id, 'fallback', MOST_REMINDED);
    const change = {
      state: 'overdue',
      reminded: review.reminders.length,
      nextAt: nextOf(review, now),
    } as const;
    return await replaceReview(deps, stores, tell, review, 'review.overdue', change, undefined, {
      pending: states.pending,
      waiting,
    });
  }
  const reminded = review.reminders.filter((before) => review.dueAt - before <= now).length;
  const reminds = review.state === 'open' && reminded > review.reminded && states.pending > 0;
  const waiting = reminds
    ? await stores.reviewItems.waiting(review.id, 'reviewer', MOST_REMINDED)
    : undefined;
  // Where somebody was in the way of silence it comes a little later.
  const outrun = review.silenceAt <= now && states.pending > 0;
  const nextAt = outrun ? now + AGAIN_AFTER_MS : nextOf(review, now);
  const change = { reminded: Math.max(reminded, review.reminded), nextAt };
  return await replaceReview(
    deps,
    stores,
    tell,
    review,
    reminds ? 'review.reminder' : undefined,
    change,
    undefined,
    { pending: states.pending, waiting },
  );
}

/** Everything that comes at an instant comes at that instant, not a turn later. */
function nextOf(review: ReviewRecord, now: number): number {
  const instants = [
    ...review.reminders.map((before) => review.dueAt - before),
    review.dueAt,
    review.silenceAt,
    now + LOOKED_AT_EVERY_MS,
  ];
  return Math.min(...instants.filter((at) => at > now));
}
