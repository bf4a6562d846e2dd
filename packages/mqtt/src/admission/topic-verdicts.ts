// What was decided about a topic, so that it is decided once and not for every message. No RFC.
import type { Right } from '../topics/rights.ts';

/** Topics remembered for one direction of one session. */
export const MOST_TOPICS = 1000;

export class TopicVerdicts {
  readonly #decide: (topic: string) => Right | undefined;
  readonly #known = new Map<string, Right | undefined>();

  /** @param decide by what its client may do now */
  constructor(decide: (topic: string) => Right | undefined) {
    this.#decide = decide;
  }

  of(topic: string): Right | undefined {
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
