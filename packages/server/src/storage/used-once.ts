/**
 * Milliseconds for which a mark is kept once nobody would take what it is about: the clock of the node that sweeps may be
 * ahead, and a request that came in time may wait before it claims.
 */
const KEPT_LONGER_MS = 60_000;

/** When a mark may be forgotten (epoch ms) of what is taken until `second` (epoch seconds, no longer part of it). */
export function markedUntil(second: number): number {
  return second * 1000 + KEPT_LONGER_MS;
}

/** Replay protection for jti, DPoP proofs and nonces, across all nodes of a deployment. */
export interface UsedOnceStore {
  /**
   * True for exactly one caller per `(namespace, id)` until `expiresAt` (epoch ms, rounded up to a second) has passed; false
   * for all others. An entry past its expiry may be claimed again. True is durable. Rejects with `unavailable` when it
   * cannot know: refuse then. The id is any text that tells the proof from all others; what is kept is a digest of it.
   */
  claim(namespace: string, id: string, expiresAt: number): Promise<boolean>;
  /** Removes from the disk what expired before `now` (epoch ms); returns how many rows. At most 10,000 a call. */
  sweep(now: number): Promise<number>;
}
