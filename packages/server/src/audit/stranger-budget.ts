import { canonicalJson } from '@countersign/tlog';
import type { Clock } from '../clock.ts';
import { type RandomBytes, newId } from '../ids.ts';
import type { AuditEvent } from './event.ts';
import type { AuditLog } from './log.ts';
import { networkOf } from './network-of.ts';

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

/** Verbatim events a minute per source and claimed id (docs/operate/promises.md, 1a). */
const VERBATIM_PER_PAIR = 20;
/** … and of all pairs together, so that inventing pairs is no way around it. */
const VERBATIM_IN_ALL = 2_000;
const MAX_PAIRS = 10_000;
const MINUTE_MS = 60_000;
/** An answer leaves on the first beat that is at least one beat after its request: time tells nothing of the cause. */
const BEAT_MS = 10;
/** Answers a beat. 2,000 a second: refusals cannot take the processor from rightful clients. */
const ANSWERS_PER_BEAT = 20;

/** The source of the pair that all share beyond the bound. */
const ALL_OTHERS = '*';

interface Pair {
  readonly source: string;
  readonly claimed: string | undefined;
  verbatim: number;
  /** Epoch ms: nothing counted here is older. */
  from: number;
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
    if (source === ALL_OTHERS) return shared();
    const key = `${source} ${claimed ?? ''}`;
    let pair = pairs.get(key);
    if (pair === undefined) {
      // Beyond the bound all share one pair: counts stay exact, only the breakdown is coarser.
      if (pairs.size >= MAX_PAIRS) return shared();
      pair = { source, claimed, verbatim: 0, from: since, counted: new Map() };
      pairs.set(key, pair);
    }
    return pair;
  }

  function shared(): Pair {
    let pair = pairs.get(ALL_OTHERS);
    if (pair === undefined) {
      pair = {
        source: ALL_OTHERS,
        claimed: undefined,
        verbatim: VERBATIM_PER_PAIR,
        from: since,
        counted: new Map(),
      };
      pairs.set(ALL_OTHERS, pair);
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
      const from = since;
      // By then the minute may be over, and this pair summed up.
      deps.log
        .append(event)
        .catch(() => count(pairOf(pair.source, pair.claimed), event.reason ?? UNKNOWN, 1, from));
      return;
    }
    count(pair, event.reason ?? UNKNOWN, 1, since);
  }

  async function summarise(): Promise<void> {
    const ended = pairs;
    pairs = new Map();
    verbatimInAll = 0;
    since = deps.clock.now();
    await Promise.all([...ended.values()].filter((pair) => pair.counted.size > 0).map(write));
  }

  async function write(pair: Pair): Promise<void> {
    const counts = [...pair.counted];
    const total = counts.reduce((sum, [, n]) => sum + n, 0);
    const from = new Date(pair.from).toISOString();
    const detail = { count: total, from, reasons: Object.fromEntries(counts) };
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
      for (const [reason, times] of counts) count(carried, reason, times, pair.from);
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

const UNKNOWN = 'unknown';

function count(pair: Pair, reason: string, times: number, from: number): void {
  pair.counted.set(reason, (pair.counted.get(reason) ?? 0) + times);
  pair.from = Math.min(pair.from, from);
}

/** Lets waiting answers go, oldest first, a bounded number each beat. The timer runs only while somebody waits. */
class Beat {
  #waiting: Array<() => void> = [];
  /** How many of them were there at the last beat: only those have waited a whole one. */
  #ripe = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  next(): Promise<void> {
    if (this.#closed) return Promise.resolve();
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
    this.#closed = true;
    if (this.#timer !== undefined) clearInterval(this.#timer);
    for (const leave of this.#waiting.splice(0)) leave();
  }
}
