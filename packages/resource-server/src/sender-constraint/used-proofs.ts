// Remembering proofs so that each is good once: RFC 9449 §11.1. In this process; a store that several share has the same face.

/** Where used proofs are remembered. */
export interface UsedProofs {
  /**
   * True when `id` (43 characters) was not claimed before; from then on it is, until `expiresAt` (epoch seconds). Two calls
   * with one id at the same time must not both get true. Throws or rejects when that cannot be known: the request is
   * then answered 503. `holder` names whose token it is, for a store that gives each of them a share of its room.
   */
  claim(id: string, expiresAt: number, holder?: string): boolean | Promise<boolean>;
}

/** No room for another proof: taking it would mean to forget one that can still be replayed. */
export class UsedProofsFull extends Error {
  constructor(limit: number, kept: number) {
    super(
      kept < limit
        ? `${kept} proofs of this caller are remembered, none of them has expired, and the rest of the room is for others`
        : `${limit} proofs are remembered, and none of them has expired`,
    );
    this.name = 'UsedProofsFull';
  }
}

/** At 91 seconds each: about 1,000 requests a second for as long as one likes. */
export const USED_PROOFS_LIMIT = 100_000;

/**
 * A holder keeps at most this many times what is free outside the reserve: alone 72 % of the room, two at once 40 % each. A fixed
 * share would waste room while one is alone.
 */
const SHARE_OF_FREE = 4;
/** One part in so many is the reserve: only for who keeps less than a small share. So it takes a hundred holders to fill it. */
const RESERVE_PART = 10;
/** One part in so many is a small share: at 100,000 a proof a second. */
const SMALL_SHARE_PART = 1000;

/** How many proofs of one holder are remembered. */
interface Share {
  readonly holder: string | undefined;
  kept: number;
}

/** Remembers up to `limit` proofs in memory, of each holder so many that others find room. `clock`: epoch seconds. */
export function rememberUsedProofs(clock: () => number, limit: number = USED_PROOFS_LIMIT): UsedProofs {
  const known = new Map<string, { readonly expiresAt: number; readonly share: Share }>();
  /** Of those that keep something, and so never more than there are proofs. */
  const shares = new Map<string | undefined, Share>();
  /** What expired up to here may have been forgotten: a clock set back must not make it new again. */
  let forgotten = Number.NEGATIVE_INFINITY;

  function forgetExpired(now: number): void {
    // In the order of arrival, which is nearly that of expiry: one that lasts longer holds others back for a moment.
    for (const [id, { expiresAt, share }] of known) {
      if (expiresAt > now) break;
      known.delete(id);
      forgotten = Math.max(forgotten, expiresAt);
      if (--share.kept === 0) shares.delete(share.holder);
    }
  }

  const reserve = Math.floor(limit / RESERVE_PART);
  const small = Math.max(1, Math.floor(limit / SMALL_SHARE_PART));

  /** Throws `UsedProofsFull`: for one holder, or for all. */
  function requireRoom({ holder, kept }: Share): void {
    const free = limit - known.size;
    if (free <= 0) throw new UsedProofsFull(limit, limit);
    if (holder === undefined || kept < small) return;
    if (kept >= SHARE_OF_FREE * (free - reserve)) throw new UsedProofsFull(limit, kept);
  }

  return {
    claim(id, expiresAt, holder) {
      forgetExpired(clock());
      if (expiresAt <= forgotten || known.has(id)) return false;
      const share = shares.get(holder) ?? { holder, kept: 0 };
      requireRoom(share);
      known.set(id, { expiresAt, share });
      share.kept++;
      shares.set(holder, share);
      return true;
    },
  };
}
