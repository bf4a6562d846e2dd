/** Bytes of all CONNECTs that are not whole yet. Nothing is known yet of who sends them. */
export const MOST_WAITING = 33_554_432;

/** A connection whose CONNECT is not whole yet. */
export interface Waiting {
  /** Lets go of what it holds, and releases it here. */
  giveUp(): void;
}

/**
 * What connections hold before anything is known of them, together. Beyond the most, the one that holds most is given up: an ordinary
 * CONNECT is small, and comes in one piece.
 */
export class WaitingBytes {
  readonly #most: number;
  readonly #held = new Map<Waiting, number>();
  #total = 0;

  constructor(most: number = MOST_WAITING) {
    this.#most = most;
  }

  get total(): number {
    return this.#total;
  }

  /** So many bytes are held for it now. May give it up, or others. */
  hold(who: Waiting, bytes: number): void {
    this.#total += bytes - (this.#held.get(who) ?? 0);
    this.#held.set(who, bytes);
    while (this.#total > this.#most) this.#largest()?.giveUp();
  }

  release(who: Waiting): void {
    this.#total -= this.#held.get(who) ?? 0;
    this.#held.delete(who);
  }

  #largest(): Waiting | undefined {
    let largest: Waiting | undefined;
    let most = -1;
    for (const [who, bytes] of this.#held) {
      if (bytes <= most) continue;
      largest = who;
      most = bytes;
    }
    return largest;
  }
}
