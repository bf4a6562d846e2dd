import { newId } from '../../ids.ts';
import { requireEnd, type RuleDeps, type Tell } from '../../registry/change-rules.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import type { ReviewRecord } from '../../storage/reviews.ts';
import type { Stores } from '../../storage/storage.ts';
import { reviewerKey } from './reviewer.ts';
import { reviewView } from './view.ts';

const DAY_MS = 86_400_000;
/** Campaigns that have not ended, at most. */
export const MOST_REVIEWS = 100;
/** Reviewers whom one event names with how many wait for them: they are told by mail. */
export const MOST_REMINDED = 200;
/** Nobody decides on hundreds of accesses in an hour: what nobody decides on is suspended. */
const SHORTEST_MS: number = DAY_MS;
const LONGEST_MS = 400 * DAY_MS;
const LONGEST_FALLBACK_MS = 90 * DAY_MS;
const LONGEST_USE_MS = 400 * DAY_MS;

export type NewReview = Pick<
  ReviewRecord,
  | 'name'
  | 'query'
  | 'reviewers'
  | 'fallback'
  | 'notOwner'
  | 'opensAt'
  | 'dueAt'
  | 'reminders'
  | 'onSilence'
  | 'tokens'
  | 'useWithinMs'
  | 'repeatEveryMs'
  | 'createdBy'
> & { readonly fallbackForMs: number };

export async function createReview(
  deps: RuleDeps,
  stores: Pick<Stores, 'reviews' | 'people' | 'teams'>,
  tell: Tell,
  { fallbackForMs, ...asked }: NewReview,
): Promise<ReviewRecord> {
  const now = deps.clock.now();
  requireTimes(now, asked.opensAt, asked.dueAt, fallbackForMs);
  requireRepeat(asked.repeatEveryMs, asked.dueAt - (asked.opensAt ?? now));
  requireSpan(asked.useWithinMs, LONGEST_USE_MS, '/use_within', '400d');
  requireSpan(asked.query.notUsedForMs ?? 0, LONGEST_USE_MS, '/query/not_used_for', '400d');
  for (const [place, reviewer] of asked.reviewers.entries())
    await requireThere(stores, reviewer, `/reviewers/${place}`);
  await requireThere(stores, asked.fallback, '/fallback');
  if ((await stores.reviews.live()) >= MOST_REVIEWS) {
    throw new RegistryRefusal(
      'limit_reached',
      `at most ${MOST_REVIEWS} campaigns are planned or open at once`,
    );
  }
  const reminders = [...asked.reminders].sort((one, other) => other - one);
  return await planReview(deps, stores, tell, {
    ...asked,
    reminders,
    silenceAt: asked.dueAt + fallbackForMs,
  });
}

type Planned = Omit<NewReview, 'fallbackForMs'> & Pick<ReviewRecord, 'silenceAt'>;

async function planReview(
  deps: RuleDeps,
  stores: Pick<Stores, 'reviews'>,
  tell: Tell,
  planned: Planned,
): Promise<ReviewRecord> {
  const now = deps.clock.now();
  const record: ReviewRecord = {
    id: newId('rvw', deps.random),
    ...planned,
    reminded: 0,
    state: 'planned',
    stateReason: undefined,
    items: 0,
    lookedUpTo: undefined,
    nextAt: planned.opensAt,
    startedAt: undefined,
    endedAt: undefined,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await stores.reviews.insert(record);
  tell({ type: 'review.created', resource: record.id, after: reviewView(record) });
  return record;
}

function requireTimes(now: number, opensAt: number | undefined, dueAt: number, fallbackForMs: number): void {
  if (opensAt !== undefined) requireEnd(now, opensAt, '/opens_at');
  requireEnd(now, dueAt, '/due_at');
  const length = dueAt - (opensAt ?? now);
  if (length < SHORTEST_MS) throw outOfRange('is at least a day after the opening', '/due_at');
  if (length > LONGEST_MS) throw outOfRange('is at most 400 days after the opening', '/due_at');
  requireSpan(fallbackForMs, LONGEST_FALLBACK_MS, '/fallback_for', '90d');
}

/** One is due before the next opens: nobody is asked the same twice at once. */
function requireRepeat(every: number | undefined, length: number): void {
  if (every === undefined) return;
  requireSpan(every, LONGEST_MS, '/repeat_every', '400d');
  if (every < length) throw outOfRange('is at least as long as one campaign', '/repeat_every');
}

function requireSpan(ms: number, most: number, pointer: string, shown: string): void {
  if (ms > most) throw outOfRange(`must be at most ${shown}`, pointer);
}

function outOfRange(detail: string, pointer: string): RegistryRefusal {
  return new RegistryRefusal('end_out_of_range', detail, { pointer });
}

/** Nobody waits for somebody who has left, or for a team that does not exist, where the directory knows. */
async function requireThere(
  { people, teams }: Pick<Stores, 'people' | 'teams'>,
  reviewer: string,
  pointer: string,
): Promise<void> {
  if (reviewer.startsWith('person:')) {
    const person = await people.byHandle(reviewer.slice('person:'.length));
    if (person?.status === 'left')
      throw new RegistryRefusal('owner_left', `${person.handle} has left`, { pointer, existing: person.id });
  }
  if (!reviewer.startsWith('team:')) return;
  const name = reviewer.slice('team:'.length);
  const known = (await teams.byName(name)) !== undefined;
  if (!known && (await teams.list({}, { limit: 1 })).items.length > 0)
    throw new RegistryRefusal('unknown_reference', `there is no team ${name}`, { pointer });
}

/** From now on what its query finds becomes its items: fill.ts. */
export async function startReview(
  deps: RuleDeps,
  stores: Pick<Stores, 'reviews'>,
  tell: Tell,
  review: ReviewRecord,
): Promise<ReviewRecord> {
  const now = deps.clock.now();
  if (review.state !== 'planned')
    throw new RegistryRefusal('illegal_transition', `the campaign is ${review.state}`);
  if (review.dueAt - now < SHORTEST_MS)
    throw new RegistryRefusal('illegal_transition', 'it would be due within a day: make another');
  if (review.repeatEveryMs !== undefined)
    await planNext(deps, stores, tell, review, now + review.repeatEveryMs);
  return await replaceReview(deps, stores, tell, review, 'review.started', {
    state: 'starting',
    startedAt: now,
    nextAt: now,
  });
}

/** The same once more, as long as this one is. Who has left by then is passed over when its items are given out. */
async function planNext(
  deps: RuleDeps,
  stores: Pick<Stores, 'reviews'>,
  tell: Tell,
  review: ReviewRecord,
  opensAt: number,
): Promise<void> {
  if ((await stores.reviews.live()) >= MOST_REVIEWS) {
    const reason = `not planned again: ${MOST_REVIEWS} campaigns are planned or open`;
    tell({ type: 'review.not_repeated', resource: review.id, reason });
    return;
  }
  const dueAt = opensAt + review.dueAt - deps.clock.now();
  const silenceAt = dueAt + review.silenceAt - review.dueAt;
  const { name, query, reviewers, fallback, notOwner, reminders, onSilence, tokens } = review;
  const { useWithinMs, repeatEveryMs, createdBy } = review;
  const asks = { name, query, reviewers, fallback, notOwner, reminders, onSilence, tokens };
  const rest = { useWithinMs, repeatEveryMs, createdBy };
  await planReview(deps, stores, tell, { ...asks, ...rest, opensAt, dueAt, silenceAt });
}

/** Ends it early: what is undecided stays as it is, and nobody's silence suspends it. */
export async function closeReview(
  deps: RuleDeps,
  stores: Pick<Stores, 'reviews'>,
  tell: Tell,
  review: ReviewRecord,
  reason: string,
): Promise<ReviewRecord> {
  if (hasEnded(review)) throw new RegistryRefusal('illegal_transition', `the campaign is ${review.state}`);
  return await replaceReview(
    deps,
    stores,
    tell,
    review,
    'review.closed',
    { state: 'closed', stateReason: reason, endedAt: deps.clock.now(), nextAt: undefined },
    reason,
  );
}

export function hasEnded({ state }: Pick<ReviewRecord, 'state'>): boolean {
  return state === 'completed' || state === 'closed';
}

/** Writes the next version, with its event where there is one. */
export async function replaceReview(
  deps: RuleDeps,
  stores: Pick<Stores, 'reviews'>,
  tell: Tell,
  before: ReviewRecord,
  type: string | undefined,
  change: Partial<ReviewRecord>,
  reason?: string,
  shown: object = {},
): Promise<ReviewRecord> {
  const next = { ...before, ...change, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.reviews.replace(next);
  if (type !== undefined) {
    const after = { ...reviewView(next), ...shown };
    tell({ type, resource: before.id, reason, before: reviewView(before), after });
  }
  return next;
}

/** As the campaign was written: names in the case that compares. */
export function reviewersAsKept(reviewers: readonly string[]): readonly string[] {
  return [...new Set(reviewers.map(reviewerKey))];
}
