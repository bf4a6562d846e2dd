import type { ApprovalSubject, ApproverRole, Environment, IdentityKind } from '@countersign/admin-api';
import type { Page, PageRequest } from './page.ts';

export type { ApprovalSubject, ApproverRole };

/** All members that are there must hold; none: everything matches. */
export interface ApprovalMatch {
  readonly environments?: readonly Environment[] | undefined;
  readonly kinds?: readonly IdentityKind[] | undefined;
  /** Of the most sensitive scope asked for, or of the identity. */
  readonly minSensitivity?: number | undefined;
  /** Identifiers. */
  readonly resourceServers?: readonly string[] | undefined;
  readonly thirdParty?: boolean | undefined;
}

/** So many different people of those who have one of the roles, are in one of the teams, or are named. */
export interface ApprovalStep {
  readonly quorum: number;
  readonly roles: readonly ApproverRole[];
  readonly teams: readonly string[];
  readonly people: readonly string[];
}

/** What needs the approval of people, and of whom. */
export interface ApprovalRuleRecord {
  readonly id: string;
  /** Unique among those that are not deleted. */
  readonly name: string;
  readonly subject: ApprovalSubject;
  readonly match: ApprovalMatch;
  readonly steps: readonly ApprovalStep[];
  /** Whether the owner of the identity may approve what others ask for it. */
  readonly ownerMayApprove: boolean;
  readonly state: 'active' | 'deleted';
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface ApprovalRuleStore {
  /** `unique_conflict` (`name`) when one that is not deleted has the name. */
  insert(record: ApprovalRuleRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`, with its history row. `version_conflict` otherwise. */
  replace(record: ApprovalRuleRecord): Promise<void>;
  byId(id: string): Promise<ApprovalRuleRecord | undefined>;
  /** Not deleted ones only. */
  byName(name: string): Promise<ApprovalRuleRecord | undefined>;
  /** All that are not deleted, oldest first; at most 1000. */
  active(): Promise<readonly ApprovalRuleRecord[]>;
  /** Not deleted ones only, oldest first. */
  list(page: PageRequest): Promise<Page<ApprovalRuleRecord>>;
}
