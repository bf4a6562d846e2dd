import type { PolicyMode, PolicyRuleId, PolicyTest } from '@countersign/admin-api';
import type { Environment, IdentityKind } from './identities.ts';
import type { Page, PageRequest } from './page.ts';

export type { PolicyMode, PolicyRuleId, PolicyTest };

/** All members that are there must hold; none: every identity. */
export interface PolicyMatch {
  readonly environments?: readonly Environment[] | undefined;
  readonly kinds?: readonly IdentityKind[] | undefined;
  /** Of the identity. */
  readonly minSensitivity?: number | undefined;
  /** Owner teams, without regard to ASCII case. */
  readonly teams?: readonly string[] | undefined;
}

/** What a rule is asked to see to, of whom, and what becomes of who breaks it. */
export interface PolicyRecord {
  readonly id: string;
  /** Unique among those that are not deleted. */
  readonly name: string;
  readonly rule: PolicyRuleId;
  /** As the rule reads them. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly mode: PolicyMode;
  readonly match: PolicyMatch;
  readonly tests: readonly PolicyTest[];
  readonly state: 'active' | 'deleted';
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface PolicyStore {
  /** `unique_conflict` (`name`) when one that is not deleted has the name. Tells of `policies`. */
  insert(record: PolicyRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`, with its history row; rule and name never change. `version_conflict` otherwise. */
  replace(record: PolicyRecord): Promise<void>;
  byId(id: string): Promise<PolicyRecord | undefined>;
  asOf(id: string, at: number): Promise<PolicyRecord | undefined>;
  /** Not deleted ones only. */
  byName(name: string): Promise<PolicyRecord | undefined>;
  /** All that are not deleted, oldest first; at most 1000. */
  active(): Promise<readonly PolicyRecord[]>;
  /** The same as they were at `at` (epoch ms). */
  activeAsOf(at: number): Promise<readonly PolicyRecord[]>;
  /** Not deleted ones only, oldest first. */
  list(page: PageRequest): Promise<Page<PolicyRecord>>;
  /**
   * Until the transaction ends: `shared` lets others read policies and judge by them, and nobody change one; `alone`
   * lets nobody do either. What two transactions judge together, such as two halves of a pair, is judged alone.
   */
  lock(how: 'shared' | 'alone'): Promise<void>;
}
