import { canonicalJson } from '@countersign/tlog';
import type { Clock } from '../clock.ts';
import { type RandomBytes, newId } from '../ids.ts';
import type { AuditEvent } from './event.ts';
import type { AuditLog } from './log.ts';

/**
 * Refusals of callers who proved nothing. They must be in the log, exactly counted, and must not be able to fill it,
 * to slow rightful callers down, or to learn from the time of an answer.
 */
export interface StrangerBudget {
  /**
   * `claimed`: the client_id claimed, undefined where there is none or no such client. Resolves on the beat on which
   * the answer may leave. Never rejects.
   */
  refused(event: AuditEvent, claimed: string | undefined): Promise<void>;
  /** Writes what is only counted so far. At the end of each minute, and at shutdown. */
  summarise(): Promise<void>;
  close(): void;
}

export interface StrangerBudgetDeps {
  readonly log: Pick<AuditLog, 'append'>;
  /** Bytes left for the log; undefined = unknown, taken as enough. */
  readonly freeBytes: () => number | undefined;
  /** Below so many free bytes strangers are counted only: the rest belongs to issuance. */
  readonly reservedBytes: number;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly node: string;
}

/** Verbatim events a minute per source and claimed id (product.md, promise 1). */
const VERBATIM_PER_PAIR = 20;
/** … and of all pairs together, so that inventing pairs is no way around it. */
const VERBATIM_IN_ALL = 2_000;
const MAX_PAIRS = 10_000;
const MINUTE_MS = 60_000;
/** An answer leaves on the first beat that is at least one beat after its request: time tells nothing of the cause. */
const BEAT_MS = 10;
/** Answers a beat. 2,000 a second: refusals cannot take the processor from rightful clients. */
const ANSWERS_PER_BEAT = 20;

interface Pair {
  readonly source: string;
  readonly claimed: string | undefined;
  verbatim: number;
  readonly counted: Map<string, number>;
}

export function createStrangerBudget(deps: StrangerBudgetDeps): StrangerBudget {
  let pairs = new Map<string, Pair>();
  let verbatimInAll = 0;
  let since = deps.clock.now();
  const beat = new Beat();
  const minute = setInterval(() => void summarise(), MINUTE_MS);
  minute.unref();

  function pairOf(source: string, claimed: string | undefined): Pair {
    const key = `${source} ${claimed ?? ''}`;
    let pair = pairs.get(key);
    if (pair === undefined) {
      // Beyond the bound all share one pair: counts stay exact, only the breakdown is coarser.
      if (pairs.size >= MAX_PAIRS) return shared();
      pair = { source, claimed, verbatim: 0, counted: new Map() };
      pairs.set(key, pair);
    }
    return pair;
  }

  function shared(): Pair {
    let pair = pairs.get('*');
    if (pair === undefined) {
      pair = { source: '*', claimed: undefined, verbatim: VERBATIM_PER_PAIR, counted: new Map() };
      pairs.set('*', pair);
    }
    return pair;
  }

  function note(event: AuditEvent, claimed: string | undefined): void {
    const pair = pairOf(networkOf(event.source ?? ''), claimed);
    const free = deps.freeBytes();
    const room = free === undefined || free > deps.reservedBytes;
    if (room && pair.verbatim < VERBATIM_PER_PAIR && verbatimInAll < VERBATIM_IN_ALL) {
      pair.verbatim++;
      verbatimInAll++;
      deps.log.append(event).catch(() => count(pair, event.reason));
      return;
    }
    count(pair, event.reason);
  }

  async function summarise(): Promise<void> {
    const ended = pairs;
    const from = since;
    pairs = new Map();
    verbatimInAll = 0;
    since = deps.clock.now();
    await Promise.all(
      [...ended.values()].filter((pair) => pair.counted.size > 0).map((pair) => write(pair, from)),
    );
  }

  async function write(pair: Pair, from: number): Promise<void> {
    const counts = [...pair.counted];
    const total = counts.reduce((sum, [, n]) => sum + n, 0);
    const detail = { count: total, from: new Date(from).toISOString(), reasons: Object.fromEntries(counts) };
    try {
      await deps.log.append({
        id: newId('evt', deps.random),
        at: new Date(deps.clock.now()).toISOString(),
        type: 'token.refusals_summarised',
        outcome: 'refused',
        identity: pair.claimed,
        source: pair.source,
        node: deps.node,
        detail: canonicalJson(detail),
      });
    } catch {
      // The log is down: carry the counts over, they belong to the next summary.
      const carried = pairOf(pair.source, pair.claimed);
      for (const [reason, n] of counts) carried.counted.set(reason, (carried.counted.get(reason) ?? 0) + n);
    }
  }

  return {
    refused(event, claimed) {
      note(event, claimed);
      return beat.next();
    },
    summarise,
    close() {
      clearInterval(minute);
      beat.close();
    },
  };
}

function count(pair: Pair, reason: string | undefined): void {
  const key = reason ?? 'unknown';
  pair.counted.set(key, (pair.counted.get(key) ?? 0) + 1);
}

/** IPv6 callers own a /64: one of them is one source, whatever the rest of the address says. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail = ''] = address.split('::');
  const left = head.split(':').filter((group) => group !== '');
  const right = tail.split(':').filter((group) => group !== '');
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::/64`;
}

/** Lets waiting answers go, oldest first, a bounded number each beat. The timer runs only while somebody waits. */
class Beat {
  #waiting: Array<() => void> = [];
  /** How many of them were there at the last beat: only those have waited a whole one. */
  #ripe = 0;
  #timer: NodeJS.Timeout | undefined;

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#timer ??= setInterval(() => this.#strike(), BEAT_MS);
    });
  }

  #strike(): void {
    const leaving = this.#waiting.splice(0, Math.min(this.#ripe, ANSWERS_PER_BEAT));
    this.#ripe = this.#waiting.length;
    for (const leave of leaving) leave();
    if (this.#waiting.length === 0 && this.#timer !== undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  close(): void {
    if (this.#timer !== undefined) clearInterval(this.#timer);
    for (const leave of this.#waiting.splice(0)) leave();
  }
}
