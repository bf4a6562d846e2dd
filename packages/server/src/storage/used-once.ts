/** Replay protection for jti, DPoP proofs and nonces, across all nodes of a deployment. */
export interface UsedOnceStore {
  /**
   * True for exactly one caller per `(namespace, id)` until `expiresAt` (epoch ms) has passed; false for all others.
   * An entry past its expiry may be claimed again. Rejects with `unavailable` when it cannot know: refuse then.
   */
  claim(namespace: string, id: string, expiresAt: number): Promise<boolean>;
  /** Removes entries that expired before `now`; returns how many. At most 10,000 a call. */
  sweep(now: number): Promise<number>;
}
