import type { Cadence, Environment, IdentityKind, IdentityState } from '@countersign/admin-api';
import type { Due, DuePage, Page, PageRequest } from './page.ts';

export type { Cadence, Environment, IdentityKind, IdentityState };

/** Accountable person, backup person, team. Names of people and teams, never of machines. */
export interface Owner {
  readonly person: string;
  readonly backup: string | undefined;
  readonly team: string | undefined;
}

/** Its requests are refused from `from` to `to` (epoch ms), as announced. */
export interface BrownOut {
  readonly from: number;
  readonly to: number;
}

/**
 * How an identity ends. Until `shadowUntil` it works, and each request is noted as one that would be refused; it is refused in
 * each brown-out, and from `stopAt` on for good; until `endsAt` it can be brought back. Instants are epoch ms.
 */
export interface DecommissionPlan {
  /** Where it was before. */
  readonly from: 'active' | 'suspended';
  readonly beganAt: number;
  /** The phase that was begun last, with all that belongs to it; what the clock says may be ahead of it. */
  readonly phase: 'shadow' | 'brown_out' | 'stopped';
  readonly shadowUntil: number;
  /** In their order. */
  readonly brownOuts: readonly BrownOut[];
  /** How many of them were begun, or are over. */
  readonly brownOutsBegun: number;
  readonly stopAt: number;
  readonly endsAt: number;
  /** When there is something to do for it next. */
  readonly nextAt: number;
  /** It was used lately, and is ended all the same. */
  readonly forced: boolean;
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
  /** When it came into this state. */
  readonly stateSince: number;
  /** What puts it to work once it is approved; undefined: whoever may. */
  readonly activation?: 'first_proof';
  /** While it is being decommissioned, and afterwards as it was carried out. */
  readonly decommissioning?: DecommissionPlan;
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
  /** Several at once, at most 1000, in any order; those that are not there are left out. */
  byIds(ids: readonly string[]): Promise<readonly IdentityRecord[]>;
  byClientId(clientId: string): Promise<IdentityRecord | undefined>;
  /** Oldest first, by `(createdAt, id)`. */
  list(filter: IdentityFilter, page: PageRequest): Promise<Page<IdentityRecord>>;
  /** Who owns any, in ASCII lower case and in that order, strictly after `after`. */
  owners(after: string, limit: number): Promise<readonly string[]>;
  /** The record as it was at the instant `at` (epoch ms), or undefined when it did not exist then. */
  asOf(id: string, at: number): Promise<IdentityRecord | undefined>;
  /** The same of several, at most 1000, in any order; those that did not exist then are left out. */
  allAsOf(ids: readonly string[], at: number): Promise<readonly IdentityRecord[]>;
  /**
   * Those that work, or may again, with the same accountable person (without regard to ASCII case), purpose and environment: oldest first,
   * at most `limit`.
   */
  alike(
    to: Pick<IdentityRecord, 'owner' | 'purpose' | 'environment'>,
    limit: number,
  ): Promise<readonly Pick<IdentityRecord, 'id' | 'clientId'>[]>;
  /** Those in `state` for which the instant `by` has come at `until`, the longest overdue first. */
  due(
    state: IdentityState,
    by: 'expiresAt' | 'stateSince' | 'plan',
    until: number,
    page: DuePage,
  ): Promise<readonly Due[]>;
}
