import type { Clock } from '../clock.ts';
import type { AuditEvent } from './event.ts';
import { networkOf } from './network-of.ts';
import { createRefusalTally, type RefusalTallyDeps, type TallyLimits } from './refusal-tally.ts';

/**
 * Refusals of callers who proved nothing. They must be in the log, exactly counted, and must not be able to fill it,
 * to slow rightful callers down, or to learn from the time of an answer.
 */
export interface StrangerBudget {
  /**
   * `claimed`: the client_id claimed, undefined where there is none or no such client. `arrivedAt`: when the request
   * came, epoch ms. `voucher`: who signed for the caller; such refusals have a budget of their own. Resolves on the beat on
   * which the answer may leave. Never rejects.
   */
  refused(
    event: AuditEvent,
    claimed: string | undefined,
    arrivedAt: number,
    voucher?: Voucher,
  ): Promise<void>;
  /** Writes what is only counted so far. At the end of each minute, and at shutdown. */
  summarise(): Promise<void>;
  close(): void;
}

/** Who signed for a caller that is refused all the same: a trusted issuer, about one subject of its own. */
export interface Voucher {
  /** Id of the trusted issuer. */
  readonly trustedIssuer: string;
  /** What tells this subject from all others of the issuer: ids, as its rules name them. */
  readonly subject: string;
}

export type StrangerBudgetDeps = RefusalTallyDeps;

/** By source network and claimed id (docs/operate/promises.md, 1a). */
const OF_STRANGERS: TallyLimits = { verbatimPerParty: 20, verbatimInAll: 2_000, parties: 10_000 };
/**
 * By trusted issuer, subject and reason: one noisy job takes neither the detail of other jobs that share its address nor that
 * of strangers. It is bounded in all, since at a public issuer anybody may have as many subjects as they like.
 */
const VOUCHED_FOR: TallyLimits = { verbatimPerParty: 60, verbatimInAll: 600, parties: 1_000 };
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

export function createStrangerBudget(deps: StrangerBudgetDeps): StrangerBudget {
  const strangers = createRefusalTally(deps, OF_STRANGERS);
  const vouched = createRefusalTally(deps, VOUCHED_FOR);
  const beat = new Beat(deps.clock);
  const minute = setInterval(() => void summarise(), MINUTE_MS);
  minute.unref();

  async function summarise(): Promise<void> {
    await Promise.all([strangers.summarise(), vouched.summarise()]);
  }

  return {
    refused(event, claimed, arrivedAt, voucher) {
      if (voucher === undefined) {
        strangers.note(event, { source: networkOf(event.source ?? ''), identity: claimed });
      } else {
        const told = { trusted_issuer: voucher.trustedIssuer, subject: voucher.subject };
        vouched.note(event, { source: undefined, told, reason: event.reason });
      }
      return beat.after(arrivedAt);
    },
    summarise,
    close() {
      clearInterval(minute);
      beat.close();
    },
  };
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
