/** It runs from the day on which the owner of an identity is known to have left, until somebody else has taken it over. */
export interface OwnershipClockRecord {
  readonly identityId: string;
  /** Handle of who left. */
  readonly person: string;
  /** What the owner's backup was. */
  readonly backup: string | undefined;
  /** Handle of who stands in as owner since; undefined: nobody could. */
  readonly interim: string | undefined;
  readonly startedAt: number;
  /** How many of its steps were taken. */
  readonly taken: number;
  /** When the next step is due; `FOREVER` after the last. */
  readonly nextAt: number;
  readonly version: number;
}

export interface OwnershipClockStore {
  /** `unique_conflict` (`id`) while the identity has one. Tells of a change of the identity, as the next two do. */
  insert(record: OwnershipClockRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`: `version_conflict` otherwise. */
  replace(record: OwnershipClockRecord): Promise<void>;
  /** `version_conflict` when it is not there in this version. */
  stop(record: OwnershipClockRecord): Promise<void>;
  ofIdentity(identityId: string): Promise<OwnershipClockRecord | undefined>;
  /** Those whose next step is due at `now`, the longest due first. */
  due(now: number, limit: number): Promise<readonly OwnershipClockRecord[]>;
  /** Those of who left, by the ids of identities after `after`; handles as in `PersonStore`. */
  ofPerson(handle: string, limit: number, after?: string): Promise<readonly OwnershipClockRecord[]>;
}
