import type { Cadence, Environment, IdentityKind, IdentityState } from '@countersign/admin-api';
import type { Page, PageRequest } from './page.ts';

export type { Cadence, Environment, IdentityKind, IdentityState };

/** Accountable person, backup person, team. Names of people and teams, never of machines. */
export interface Owner {
  readonly person: string;
  readonly backup: string | undefined;
  readonly team: string | undefined;
}

export interface IdentityRecord {
  readonly id: string;
  /** Unique for ever: never given out again, not even after decommissioning. */
  readonly clientId: string;
  readonly name: string;
  readonly kind: IdentityKind;
  readonly environment: Environment;
  readonly purpose: string;
  readonly owner: Owner;
  /** 0 (public) to 3 (most sensitive). */
  readonly sensitivity: number;
  readonly cadence: Cadence;
  readonly state: IdentityState;
  /** Why it is in this state, in the words of who put it there. */
  readonly stateReason: string | undefined;
  /** True after a cut-off or leak: resuming needs more than an operator. */
  readonly securityStop: boolean;
  /** Part of the authority itself (its first admin): cannot be decommissioned by API. */
  readonly builtIn: boolean;
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** 1 at insertion; each update adds one. The ETag of the admin API. */
  readonly version: number;
}

export interface IdentityFilter {
  readonly state?: IdentityState | undefined;
  readonly kind?: IdentityKind | undefined;
  readonly environment?: Environment | undefined;
  /** Without regard to ASCII case, as the next two: see `PersonStore`. */
  readonly ownerPerson?: string | undefined;
  readonly ownerBackup?: string | undefined;
  readonly ownerTeam?: string | undefined;
  /** Substring of name or client_id, case-insensitive for ASCII. */
  readonly text?: string | undefined;
}

export interface IdentityStore {
  /** Inserts version 1 and its history row. `unique_conflict` (`client_id`) when the client_id was ever used. */
  insert(record: IdentityRecord): Promise<void>;
  /**
   * Compare-and-swap: replaces the record whose stored version is `record.version - 1`, and writes the history row
   * for the new version, valid from `record.updatedAt`. Otherwise `version_conflict`; never creates.
   */
  replace(record: IdentityRecord): Promise<void>;
  byId(id: string): Promise<IdentityRecord | undefined>;
  byClientId(clientId: string): Promise<IdentityRecord | undefined>;
  /** Oldest first, by `(createdAt, id)`. */
  list(filter: IdentityFilter, page: PageRequest): Promise<Page<IdentityRecord>>;
  /** The record as it was at the instant `at` (epoch ms), or undefined when it did not exist then. */
  asOf(id: string, at: number): Promise<IdentityRecord | undefined>;
}
