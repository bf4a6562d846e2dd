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
