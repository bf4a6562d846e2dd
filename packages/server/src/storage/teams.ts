import type { Page, PageRequest } from './page.ts';

/** People who answer for machines together. */
export interface TeamRecord {
  readonly id: string;
  /** What `owner.team` names, and `owner.backup` may. Never changes. */
  readonly name: string;
  /** Handles, in the order given; no one twice. */
  readonly members: readonly string[];
  /** Handle of who leads it; need not be a member. */
  readonly lead: string | undefined;
  /** Where it is reached, in its own words: a chat channel, a mailing list, a rota. */
  readonly channel: string | undefined;
  readonly deleted: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface TeamFilter {
  /** Handle of a member or of the lead, as `PersonStore.byHandle` compares. */
  readonly person?: string | undefined;
  /** Substring of the name, case-insensitive for ASCII. */
  readonly text?: string | undefined;
}

/** Of the identities that belong to a team and have not ended. */
export interface TeamOwnership {
  readonly identities: number;
  /** Exactly one of owner and backup is known and still there; a backup team counts as one while anybody is left in it. */
  readonly oneLiving: number;
  readonly noneLiving: number;
}

/** Names of teams are compared without regard to ASCII case. */
export interface TeamStore {
  /** Version 1, with its history row. `unique_conflict` (`name`) while another live one has it. */
  insert(record: TeamRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`, with its history row; the name stays. `version_conflict`. */
  replace(record: TeamRecord): Promise<void>;
  byId(id: string): Promise<TeamRecord | undefined>;
  /** A live one. */
  byName(name: string): Promise<TeamRecord | undefined>;
  ownership(name: string): Promise<TeamOwnership>;
  /** Live ones only, oldest first. */
  list(filter: TeamFilter, page: PageRequest): Promise<Page<TeamRecord>>;
}
