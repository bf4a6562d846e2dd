import type { ReviewItemNow } from '../../storage/review-items.ts';

/** How one person reviewed. */
export interface ReviewerQuality {
  reviewer: string;
  decisions: number;
  kept: number;
  share_kept: number;
  kept_unused: number;
  kept_unknown: number;
  without_comment: number;
  median_seconds: number | null;
  most_in_a_minute: number;
  bulk: boolean;
  reversed: number;
}

/** Of a pause nobody knows what was done in it. */
const PAUSE_MS = 1_800_000;
const BULK_WITHIN_MS = 60_000;
const BULK = 20;

interface Counted {
  decisions: number;
  kept: number;
  keptUnused: number;
  keptUnknown: number;
  withoutComment: number;
  reversed: number;
  readonly times: number[];
}

/** Counts decisions of people as they come, in any order; what nobody decided is nobody's. */
export class QualityCount {
  readonly #people = new Map<string, Counted>();

  add(item: ReviewItemNow): void {
    const { verdict, decidedAt, state } = item;
    if (verdict?.issuer === undefined || decidedAt === undefined) return;
    const counted = this.#of(verdict.person);
    counted.decisions++;
    counted.times.push(decidedAt);
    if (verdict.comment === undefined) counted.withoutComment++;
    if (state !== 'kept') return;
    counted.kept++;
    if (verdict.use['state'] === 'unused') counted.keptUnused++;
    if (verdict.use['state'] === 'unknown') counted.keptUnknown++;
    if (isReversed(item)) counted.reversed++;
  }

  /** By handle. */
  result(): ReviewerQuality[] {
    const names = [...this.#people.keys()].sort();
    return names.map((reviewer) => qualityOf(reviewer, this.#of(reviewer)));
  }

  #of(reviewer: string): Counted {
    let counted = this.#people.get(reviewer);
    if (counted === undefined) {
      const zero = { decisions: 0, kept: 0, keptUnused: 0, keptUnknown: 0, withoutComment: 0, reversed: 0 };
      counted = { ...zero, times: [] };
      this.#people.set(reviewer, counted);
    }
    return counted;
  }
}

/** What was kept and then taken away by somebody else after all; an end that was to come is none. */
function isReversed({ verdict, now }: ReviewItemNow): boolean {
  if (now.state === 'revoked' || now.state === 'suspended') return true;
  return (verdict?.scopesAfter ?? []).some((scope) => !now.scopes.includes(scope));
}

function qualityOf(reviewer: string, counted: Counted): ReviewerQuality {
  const times = counted.times.toSorted((one, other) => one - other);
  const most = mostWithin(times, BULK_WITHIN_MS);
  return {
    reviewer,
    decisions: counted.decisions,
    kept: counted.kept,
    share_kept: counted.decisions === 0 ? 0 : counted.kept / counted.decisions,
    kept_unused: counted.keptUnused,
    kept_unknown: counted.keptUnknown,
    without_comment: counted.withoutComment,
    median_seconds: medianPause(times),
    most_in_a_minute: most,
    bulk: most >= BULK,
    reversed: counted.reversed,
  };
}

/** Between one decision and the next: the time for the second. */
function medianPause(times: readonly number[]): number | null {
  const pauses = times
    .slice(1)
    .map((at, place) => at - (times[place] ?? at))
    .filter((pause) => pause < PAUSE_MS)
    .sort((one, other) => one - other);
  const middle = pauses[Math.floor((pauses.length - 1) / 2)];
  return middle === undefined ? null : middle / 1000;
}

/** Ascending instants: how many lie within `span` of one another at most. */
export function mostWithin(times: readonly number[], span: number): number {
  let most = 0;
  let first = 0;
  for (const [place, at] of times.entries()) {
    while (at - (times[first] ?? at) > span) first++;
    most = Math.max(most, place - first + 1);
  }
  return most;
}
