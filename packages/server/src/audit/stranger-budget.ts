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
   * `claimed`: the client_id claimed, undefined where there is none or no such client. `arrivedAt`: when the request
   * came, epoch ms. Resolves on the beat on which the answer may leave. Never rejects.
   */
  refused(event: AuditEvent, claimed: string | undefined, arrivedAt: number): Promise<void>;
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
/** Beats are the multiples of this on the clock, whoever waits. */
const BEAT_MS = 10;
/**
 * An answer leaves on the first beat that is so long after its request came: whether there was little to do for it or
 * much, such as asking the database for a client, its time does not tell.
 */
const ANSWER_AFTER_MS = 20;
/** Answers a beat. 2,000 a second: refusals cannot take the processor from rightful clients. */
const ANSWERS_PER_BEAT = 20;
/** Beyond it the oldest leave at once: they waited ten seconds. */
const MOST_WAITING = 20_000;

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
  const beat = new Beat(deps.clock);
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
    refused(event, claimed, arrivedAt) {
      note(event, claimed);
      return beat.after(arrivedAt);
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

interface Waiting {
  readonly arrivedAt: number;
  readonly leave: () => void;
}

/** Lets waiting answers go, oldest first, a bounded number each beat. The timer runs only while somebody waits. */
class Beat {
  readonly #clock: Clock;
  /** By arrival: work that differed would else show in the order of leaving. */
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  after(arrivedAt: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((leave) => {
      let place = this.#waiting.length;
      while (place > 0 && (this.#waiting[place - 1] as Waiting).arrivedAt > arrivedAt) place--;
      this.#waiting.splice(place, 0, { arrivedAt, leave });
      if (this.#waiting.length > MOST_WAITING) this.#waiting.shift()?.leave();
      this.#timer ??= this.#untilNextBeat();
    });
  }

  #untilNextBeat(): NodeJS.Timeout {
    return setTimeout(() => this.#strike(), BEAT_MS - (this.#clock.now() % BEAT_MS));
  }

  #strike(): void {
    const now = this.#clock.now();
    // A timer may come a moment early: then it is the beat before, and this one is still to come.
    const beat = now - (now % BEAT_MS);
    let ripe = 0;
    while (ripe < ANSWERS_PER_BEAT && (this.#waiting[ripe]?.arrivedAt ?? Infinity) + ANSWER_AFTER_MS <= beat)
      ripe++;
    const leaving = this.#waiting.splice(0, ripe);
    // The clock was set back: who came in what is now the future must not wait for it.
    while ((this.#waiting.at(-1)?.arrivedAt ?? 0) > now) leaving.push(this.#waiting.pop() as Waiting);
    for (const { leave } of leaving) leave();
    this.#timer = this.#waiting.length === 0 ? undefined : this.#untilNextBeat();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { leave } of this.#waiting.splice(0)) leave();
  }
}
