/** The remembered answer of a write that carried `Idempotency-Key`, kept for 24 hours. */
export interface IdempotencyRecord {
  /** client_id of the caller: keys of two callers never meet. */
  readonly principal: string;
  /** Keyed digest of the caller and its `Idempotency-Key`: what was sent may have been a secret by mistake. */
  readonly key: string;
  /** SHA-256 of method, path and body: the same key with another request is a mistake. */
  readonly fingerprint: string;
  readonly status: number;
  /** Sealed when it carries a secret that is shown only once. */
  readonly response: string;
  readonly expiresAt: number;
}

export interface IdempotencyStore {
  /** In the transaction of the write itself. `unique_conflict` (`idempotency_key`) when it is there and unexpired. */
  insert(record: IdempotencyRecord): Promise<void>;
  /** Undefined when absent or expired at `now`. */
  find(principal: string, key: string, now: number): Promise<IdempotencyRecord | undefined>;
  sweep(now: number): Promise<number>;
}
