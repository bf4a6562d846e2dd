// One holder's part of the proofs that are remembered as used: docs/decisions/0059-a-share-of-the-used-proofs.md.
import { ProofShareUsedUp } from '../storage/errors.ts';

/** Of one holder at one process, a tenth of what fits into the memory of one that has an SQLite database (used-once-set.ts). */
export const PROOF_SHARE = 250_000;
/** Holders at most, about 20 MB: those of small shares leave first, longest ago before others, and begin anew. */
const MOST_HOLDERS = 100_000;
/** A holder of more than this part of its share is not forgotten while there are others. */
const SMALL = 0.01;
const MOST_PASSED_OVER = 100;
/** Seconds that are counted together: a proof counts for as much longer than it is remembered at most. */
const SPAN = 64;
/** Beyond so many spans of a holder each lasts twice as long: its proofs are remembered for days. */
const MOST_SPANS = 64;

interface Holding {
  count: number;
  span: number;
  /** In pairs: the second (epoch) at which a span ends, and how many proofs are forgotten in it. */
  spans: number[];
}

/** In memory alone, and of this process: nothing is asked of a database. Seconds are epoch seconds. */
export class UsedOnceShares {
  readonly #share: number;
  readonly #most: number;
  readonly #holders = new Map<string, Holding>();

  constructor(share: number = PROOF_SHARE, most: number = MOST_HOLDERS) {
    this.#share = share;
    this.#most = most;
  }

  /** Throws `ProofShareUsedUp` when as many of this holder's proofs are remembered at `now` as may be. */
  require(holder: string, now: number): void {
    const holding = this.#holders.get(holder);
    if (holding === undefined || holding.count < this.#share) return;
    forget(holding, now);
    if (holding.count < this.#share) return;
    let first = Infinity;
    for (let at = 0; at < holding.spans.length; at += 2) first = Math.min(first, holding.spans[at] ?? first);
    throw new ProofShareUsedUp(holder, first - now + 1);
  }

  /** `count` of its proofs are remembered until `until`. */
  add(holder: string, until: number, now: number, count: number = 1): void {
    let holding = this.#holders.get(holder);
    if (holding === undefined) {
      if (this.#holders.size >= this.#most) this.#makeRoom(now);
      holding = { count: 0, span: SPAN, spans: [] };
      this.#holders.set(holder, holding);
    }
    if (put(holding, until, count)) return;
    forget(holding, now);
    while (holding.spans.length > 2 * MOST_SPANS) widen(holding);
  }

  /** Of holders with more than a small part of their share, what `restore` takes. */
  large(now: number): string {
    const large: [string, readonly number[]][] = [];
    for (const [holder, holding] of this.#holders) {
      if (holding.count <= this.#share * SMALL) continue;
      forget(holding, now);
      if (holding.count > this.#share * SMALL) large.push([holder, holding.spans]);
    }
    return JSON.stringify(large);
  }

  /** Text that `large` gave, maybe to another process. */
  restore(text: string, now: number): void {
    for (const [holder, spans] of JSON.parse(text) as [string, readonly number[]][]) {
      for (let at = 0; at < spans.length; at += 2) {
        const [until = 0, count = 0] = [spans[at], spans[at + 1]];
        if (until >= now) this.add(holder, until, now, count);
      }
    }
  }

  get size(): number {
    return this.#holders.size;
  }

  #makeRoom(now: number): void {
    let passed = 0;
    for (const [holder, holding] of this.#holders) {
      this.#holders.delete(holder);
      forget(holding, now);
      if (holding.count <= this.#share * SMALL || passed === MOST_PASSED_OVER) return;
      passed++;
      this.#holders.set(holder, holding);
    }
  }
}

/** False for the first of a span: what has ended meanwhile is to be forgotten. */
function put(holding: Holding, until: number, count: number): boolean {
  const end = Math.ceil(until / holding.span) * holding.span;
  const { spans } = holding;
  holding.count += count;
  for (let at = spans.length - 2; at >= 0; at -= 2) {
    if (spans[at] !== end) continue;
    spans[at + 1] = (spans[at + 1] ?? 0) + count;
    return true;
  }
  // Arrays of just this size: with room to grow, 100,000 holders would take twice as much.
  holding.spans = spans.concat([end, count]);
  return false;
}

function forget(holding: Holding, now: number): void {
  const { spans } = holding;
  let left = 0;
  holding.count = 0;
  for (let at = 0; at < spans.length; at += 2) {
    const [end = 0, count = 0] = [spans[at], spans[at + 1]];
    if (end < now) continue;
    spans[left++] = end;
    spans[left++] = count;
    holding.count += count;
  }
  if (left < spans.length) holding.spans = spans.slice(0, left);
}

function widen(holding: Holding): void {
  const { spans } = holding;
  holding.span *= 2;
  holding.spans = [];
  holding.count = 0;
  for (let at = 0; at < spans.length; at += 2) put(holding, spans[at] ?? 0, spans[at + 1] ?? 0);
}
