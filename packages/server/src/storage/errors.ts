/** What a store may answer with besides a value. Anything else it throws is a bug or an outage. */
export type StorageFault =
  /** The record's version is not the one given: somebody else was faster. */
  | 'version_conflict'
  /** A unique property is taken: `detail` names it, e.g. `client_id`. */
  | 'unique_conflict'
  /** A record it points at does not exist. */
  | 'missing_reference'
  /** The database cannot be reached or refuses to write (full disk, lost connection). Retry is safe. */
  | 'unavailable';

export class StorageError extends Error {
  readonly fault: StorageFault;
  readonly detail: string;
  constructor(fault: StorageFault, detail: string, cause?: unknown) {
    super(`${fault}: ${detail}`, cause === undefined ? undefined : { cause });
    this.name = 'StorageError';
    this.fault = fault;
    this.detail = detail;
  }
}

/** Of a claim of `UsedOnceStore`: as many proofs of its holder are remembered as may be. One that was used before may be answered so, too. */
export class ProofShareUsedUp extends Error {
  /** client_id, or the principal of a person. */
  readonly holder: string;
  /** Seconds until some are forgotten. */
  readonly retryAfter: number;
  constructor(holder: string, retryAfter: number) {
    super('too many proofs of one holder are remembered as used');
    this.name = 'ProofShareUsedUp';
    this.holder = holder;
    this.retryAfter = retryAfter;
  }
}
