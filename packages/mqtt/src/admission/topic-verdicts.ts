// What was decided about a topic, so that it is decided once and not for every message. No RFC.
import type { Right } from '../topics/rights.ts';

/** Topics remembered for one direction of one session. */
export const MOST_TOPICS = 1000;
/** Bytes of those. Longer ones are decided each time: who sends them would choose how much is kept here. */
export const LONGEST_REMEMBERED = 256;

export class TopicVerdicts {
  readonly #decide: (topic: string) => Right | undefined;
  readonly #known = new Map<string, Right | undefined>();

  /** @param decide by what its client may do now */
  constructor(decide: (topic: string) => Right | undefined) {
    this.#decide = decide;
  }

  of(topic: string): Right | undefined {
    if (topic.length > LONGEST_REMEMBERED) return this.#decide(topic);
    const known = this.#known.get(topic);
    if (known !== undefined || this.#known.has(topic)) return known;
    const right = this.#decide(topic);
    if (this.#known.size >= MOST_TOPICS) this.#known.clear();
    this.#known.set(topic, right);
    return right;
  }

  /** When rights have changed. */
  forget(): void {
    this.#known.clear();
  }
}
