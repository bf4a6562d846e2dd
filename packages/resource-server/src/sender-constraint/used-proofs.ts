// Remembering proofs so that each is good once: RFC 9449 §11.1. In this process; a store that several share has the same face.

/** Where used proofs are remembered. */
export interface UsedProofs {
  /**
   * True when `id` (43 characters) was not claimed before; from then on it is, until `expiresAt` (epoch seconds). Two calls
   * with one id at the same time must not both get true. Throws or rejects when that cannot be known: the request is
   * then answered 503.
   */
  claim(id: string, expiresAt: number): boolean | Promise<boolean>;
}

/** No room for another proof: taking it would mean to forget one that can still be replayed. */
export class UsedProofsFull extends Error {
  constructor(limit: number) {
    super(`${limit} proofs are remembered, and none of them has expired`);
    this.name = 'UsedProofsFull';
  }
}

/** At 91 seconds each: about 1,000 requests a second for as long as one likes. */
export const USED_PROOFS_LIMIT = 100_000;

/** Remembers up to `limit` proofs in memory. `clock`: epoch seconds. */
export function rememberUsedProofs(clock: () => number, limit: number = USED_PROOFS_LIMIT): UsedProofs {
  const known = new Map<string, number>();
  /** What expired up to here may have been forgotten: a clock set back must not make it new again. */
  let forgotten = Number.NEGATIVE_INFINITY;

  function forgetExpired(now: number): void {
    // In the order of arrival, which is nearly that of expiry: one that lasts longer holds others back for a moment.
    for (const [id, expiresAt] of known) {
      if (expiresAt > now) break;
      known.delete(id);
      forgotten = Math.max(forgotten, expiresAt);
    }
  }

  return {
    claim(id, expiresAt) {
      forgetExpired(clock());
      if (expiresAt <= forgotten || known.has(id)) return false;
      if (known.size >= limit) throw new UsedProofsFull(limit);
      known.set(id, expiresAt);
      return true;
    },
  };
}
