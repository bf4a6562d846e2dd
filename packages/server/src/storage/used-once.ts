/**
 * Milliseconds for which an entry is kept beyond its end: a request that was judged in time may reach the store late, and
 * the clock of the node that sweeps may be ahead of the one that judges. Nobody may show again meanwhile what was used.
 */
export const REPLAY_MARGIN_MS = 60_000;

/** Replay protection for jti, DPoP proofs and nonces, across all nodes of a deployment. */
export interface UsedOnceStore {
  /**
   * True for exactly one caller per `(namespace, id)` until `expiresAt` (epoch ms) and the margin have passed; false for
   * all others. After that an entry may be claimed again. Rejects with `unavailable` when it cannot know: refuse then.
   */
  claim(namespace: string, id: string, expiresAt: number): Promise<boolean>;
  /** Removes entries whose end and margin have passed at `now`; returns how many. At most 10,000 a call. */
  sweep(now: number): Promise<number>;
}
