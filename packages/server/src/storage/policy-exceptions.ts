import type { Page, PageRequest } from './page.ts';

/** An identity for which a policy does not count until an instant, because somebody answers for it. */
export interface PolicyExceptionRecord {
  readonly id: string;
  readonly policyId: string;
  readonly identityId: string;
  readonly reason: string;
  /** Handle of the person, or `countersign` for the host's own hands. */
  readonly approvedBy: string;
  /** It counts by the clock: nothing has to happen then. */
  readonly expiresAt: number;
  readonly state: 'active' | 'revoked' | 'expired';
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface PolicyExceptionFilter {
  readonly policyId?: string | undefined;
  readonly identityId?: string | undefined;
}

export interface PolicyExceptionStore {
  /**
   * `unique_conflict` (`policy_identity`) while another one of the pair is active; `missing_reference` when policy or
   * identity does not exist. Tells of the identity.
   */
  insert(record: PolicyExceptionRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`, with its history row. `version_conflict` otherwise. Tells of the identity. */
  replace(record: PolicyExceptionRecord): Promise<void>;
  byId(id: string): Promise<PolicyExceptionRecord | undefined>;
  /** Active ones, whether their end has come or not; at most 1000. */
  ofIdentity(identityId: string): Promise<readonly PolicyExceptionRecord[]>;
  /** The same as they were at `at` (epoch ms). */
  ofIdentityAsOf(identityId: string, at: number): Promise<readonly PolicyExceptionRecord[]>;
  /** Active ones only, oldest first. */
  list(filter: PolicyExceptionFilter, page: PageRequest): Promise<Page<PolicyExceptionRecord>>;
}
