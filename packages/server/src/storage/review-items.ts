import type { RemediationState, ReviewItemState } from '@countersign/admin-api';
import type { AccessState } from './access.ts';
import type { Party } from './approvals.ts';
import type { Due, DuePage, Page, PageRequest } from './page.ts';

export type { RemediationState, ReviewItemState };

/** Who decided, on what basis. */
export interface ReviewVerdict {
  /** Handle, with who vouched for it and as whom; `countersign` for what nobody decided. */
  readonly person: string;
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
  readonly roles: readonly string[];
  readonly comment: string | undefined;
  /** Of the access before and after. */
  readonly scopesBefore: readonly string[];
  readonly scopesAfter: readonly string[];
  /** What was known of its use, as answers show it. */
  readonly use: Readonly<Record<string, unknown>>;
}

/** One access that people decide on, as it was when it became theirs to decide. */
export interface ReviewItemRecord {
  readonly id: string;
  readonly reviewId: string;
  readonly accessId: string;
  /** Of the access: what is decided on. */
  readonly accessVersion: number;
  readonly identityId: string;
  readonly resourceServerId: string;
  /** Who asked for the access: they never decide on it. */
  readonly requesters: readonly Party[];
  /** `person:…`, `team:…` or `role:…`, names in ASCII lower case. */
  readonly reviewer: string;
  readonly fallback: string;
  /** How often it was handed on. */
  readonly handedOn: number;
  readonly state: ReviewItemState;
  readonly verdict: ReviewVerdict | undefined;
  readonly decidedAt: number | undefined;
  readonly remediation: RemediationState;
  readonly remediationReason: string | undefined;
  /** Id of the order that ended the tokens. */
  readonly cutoffId: string | undefined;
  /** From then on no token holds what was taken away. */
  readonly effectiveAt: number | undefined;
  /** When the resource servers' reports are looked at next. */
  readonly checkAt: number | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

/** An item with what its access is now. */
export interface ReviewItemNow extends ReviewItemRecord {
  readonly now: {
    readonly version: number;
    readonly state: AccessState;
    readonly scopes: readonly string[];
  };
}

export interface ReviewItemFilter {
  readonly state?: ReviewItemState | undefined;
  /** Of any of these reviewers. */
  readonly reviewers?: readonly string[] | undefined;
  /** The same, or with any of them as the fallback. */
  readonly orFallback?: boolean | undefined;
}

export interface ReviewCounts {
  readonly states: Readonly<Record<ReviewItemState, number>>;
  readonly remediation: Readonly<Record<RemediationState, number>>;
}

export interface ReviewItemStore {
  /** All or none. `unique_conflict` when one of the accesses is in the campaign already. */
  insert(records: readonly ReviewItemRecord[]): Promise<void>;
  /** Compare-and-swap on `version - 1`. `version_conflict` otherwise. */
  replace(record: ReviewItemRecord): Promise<void>;
  byId(id: string): Promise<ReviewItemNow | undefined>;
  /** Of one campaign, oldest first. */
  list(reviewId: string, filter: ReviewItemFilter, page: PageRequest): Promise<Page<ReviewItemNow>>;
  counts(reviewId: string): Promise<ReviewCounts>;
  /** For whom most undecided ones wait, the most first. */
  waiting(
    reviewId: string,
    by: 'reviewer' | 'fallback',
    limit: number,
  ): Promise<readonly { readonly reviewer: string; readonly items: number }[]>;
  /** Those with remediation `failed`, of all campaigns, at most `limit`. */
  failed(limit: number): Promise<readonly ReviewItemNow[]>;
  /** Those whose `checkAt` has come, the longest overdue first. */
  toCheck(now: number, page: DuePage): Promise<readonly Due[]>;
}
