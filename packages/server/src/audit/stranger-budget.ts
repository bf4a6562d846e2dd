import { networkOf } from '@countersign/protocol';
import type { Clock } from '../clock.ts';
import type { AuditEvent } from './event.ts';
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

export interface StrangerBudgetDeps extends RefusalTallyDeps {
  /** Of the time since it was asked last, the share (0 to 1) in which this process had something to do. */
  readonly busy: () => number;
}

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
/**
 * Answers a beat, 2,000 a second: who waits for one sends nothing more. Where that is too much for the machine, or others
 * want it, strangers give way: half as many for as long as there is no idle moment, and one more again whenever there is.
 */
const MOST_PER_BEAT = 20;
const LEAST_PER_BEAT = 1;
const JUDGED_EVERY_MS = 100;
/** Above this share of its time the process counts as busy: it still waits for its disk when it can do no more. */
const FULLY_BUSY = 0.75;
/** So many wait at most, and none for longer: then the oldest leave, whatever there is to do. */
const MOST_WAITING = 20_000;
const LONGEST_WAIT_MS = 10_000;

export function createStrangerBudget(deps: StrangerBudgetDeps): StrangerBudget {
  const strangers = createRefusalTally(deps, OF_STRANGERS);
  const vouched = createRefusalTally(deps, VOUCHED_FOR);
  const beat = new Beat(deps);
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
  readonly #busy: () => number;
  /** By arrival: work that differed would else show in the order of leaving. */
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #perBeat = MOST_PER_BEAT;
  #judgedAt = 0;

  constructor({ clock, busy }: Pick<StrangerBudgetDeps, 'clock' | 'busy'>) {
    this.#clock = clock;
    this.#busy = busy;
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
    this.#judge(now);
    // A timer may come a moment early: then it is the beat before, and this one is still to come.
    const beat = now - (now % BEAT_MS);
    let leaves = 0;
    while (this.#mayLeave(leaves, beat)) leaves++;
    const leaving = this.#waiting.splice(0, leaves);
    // The clock was set back: who came in what is now the future must not wait for it.
    while ((this.#waiting.at(-1)?.arrivedAt ?? 0) > now) leaving.push(this.#waiting.pop() as Waiting);
    for (const { leave } of leaving) leave();
    this.#timer = this.#waiting.length === 0 ? undefined : this.#untilNextBeat();
  }

  #mayLeave(place: number, beat: number): boolean {
    const waited = beat - (this.#waiting[place]?.arrivedAt ?? Infinity);
    return place < this.#perBeat ? waited >= ANSWER_AFTER_MS : waited >= LONGEST_WAIT_MS;
  }

  #judge(now: number): void {
    const since = now - this.#judgedAt;
    if (since >= 0 && since < JUDGED_EVERY_MS) return;
    this.#judgedAt = now;
    const isBusy = this.#busy() > FULLY_BUSY;
    this.#perBeat = isBusy
      ? Math.max(LEAST_PER_BEAT, Math.floor(this.#perBeat / 2))
      : Math.min(MOST_PER_BEAT, this.#perBeat + 1);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { leave } of this.#waiting.splice(0)) leave();
  }
}
