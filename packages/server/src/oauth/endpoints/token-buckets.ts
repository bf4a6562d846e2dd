// Budgets by key, in the memory of this process: RFC 6585 §4 is what a caller gets when one is used up.

/** Buckets at most: about 10 MB. The one made longest ago leaves first and is full when it comes back. */
const MOST_BUCKETS = 100_000;
const MINUTE_MS = 60_000;

interface Bucket {
  left: number;
  /** Epoch ms of the last refill. */
  at: number;
}

/** `atOnce` at once, refilled evenly by `perMinute`. Nothing is allocated for a key that is known. */
export class TokenBuckets {
  readonly #perMinute: number;
  readonly #most: number;
  readonly #atOnce: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perMinute: number, most: number = MOST_BUCKETS, atOnce: number = perMinute) {
    this.#perMinute = perMinute;
    this.#most = most;
    this.#atOnce = atOnce;
  }

  /** Takes one at `now` (epoch ms). 0: it was there; else the whole seconds until there is one, and nothing was taken. */
  take(key: string, now: number): number {
    const bucket = this.#bucketOf(key, now);
    // A clock that was set back refills nothing and takes nothing away.
    const passed = Math.max(0, now - bucket.at);
    bucket.left = Math.min(this.#atOnce, bucket.left + (passed * this.#perMinute) / MINUTE_MS);
    bucket.at = now;
    if (bucket.left < 1) return Math.ceil(((1 - bucket.left) * MINUTE_MS) / this.#perMinute / 1000);
    bucket.left--;
    return 0;
  }

  get size(): number {
    return this.#buckets.size;
  }

  #bucketOf(key: string, now: number): Bucket {
    let bucket = this.#buckets.get(key);
    if (bucket !== undefined) return bucket;
    if (this.#buckets.size >= this.#most) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done !== true) this.#buckets.delete(oldest.value);
    }
    bucket = { left: this.#atOnce, at: now };
    this.#buckets.set(key, bucket);
    return bucket;
  }
}
