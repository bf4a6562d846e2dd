/**
 * Milliseconds for which a mark is kept once nobody would take what it is about: the clock of the node that sweeps may be
 * ahead, and a request that came in time may wait before it claims.
 */
const KEPT_LONGER_MS = 60_000;

/** When a mark may be forgotten (epoch ms) of what is taken until `second` (epoch seconds, no longer part of it). */
export function markedUntil(second: number): number {
  return second * 1000 + KEPT_LONGER_MS;
}

/** A proof that counts no second time from here on, before that is durable. */
export interface HeldProof {
  /** For the audit event of what is issued for it, which is durable before the answer: 16 characters of base64url. */
  readonly mark: string;
  /** Makes it durable where nothing was issued for it. Rejects with `unavailable`. */
  keep(): Promise<void>;
}

/** The log beside an embedded database, whose events carry marks. */
export interface MarkedLog {
  /** A place before which everything is durable, and behind which everything comes. */
  place(): LogPlace;
  /** The marks of the events since the place, oldest first; of all there are where what was there is gone. */
  marksSince(place: LogPlace): AsyncIterable<string>;
}

export interface LogPlace {
  readonly segment: number;
  readonly offset: number;
}

/** Replay protection for jti, DPoP proofs and nonces, across all nodes of a deployment. */
export interface UsedOnceStore {
  /**
   * True for exactly one caller per `(namespace, id)` until `expiresAt` (epoch ms, rounded up to a second) has passed; false
   * for all others. An entry past its expiry may be claimed again. True is durable. Rejects with `unavailable` when it
   * cannot know: refuse then. The id is any text that tells the proof from all others; what is kept is a digest of it.
   *
   * `holder`: who proved itself with it, its client_id, or the principal of a person. Rejects with `ProofShareUsedUp` when so many of this
   * holder's are remembered that others might be left without room.
   */
  claim(namespace: string, id: string, expiresAt: number, holder: string): Promise<boolean>;
  /**
   * The same, decided at once and durable with the event that carries the mark, with `keep`, or within a second. Undefined: somebody was
   * first. Throws what `claim` rejects with. Absent where no log carries marks.
   */
  hold?(namespace: string, id: string, expiresAt: number, holder: string): HeldProof | undefined;
  /**
   * This store with `hold`, once it knows what the log's events carry that a process before this one did not write down. Absent where
   * several processes claim.
   */
  carriedBy?(log: MarkedLog): Promise<UsedOnceStore>;
  /** Removes from the disk what expired before `now` (epoch ms); returns how many rows. At most 10,000 a call. */
  sweep(now: number): Promise<number>;
}
