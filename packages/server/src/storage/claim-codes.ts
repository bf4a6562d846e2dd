import type { Party } from './approvals.ts';
import type { Page, PageRequest } from './page.ts';

/** open: nobody came with it yet · used: for one key · revoked: by somebody, or because another took its place. */
export type ClaimCodeState = 'open' | 'used' | 'revoked';

/** A one-off code with which a device proves once that it is the one that is meant. */
export interface ClaimCodeRecord {
  readonly id: string;
  readonly identityId: string;
  /** The part of it that may be shown; unique. */
  readonly publicId: string;
  /** Of the whole, as of every secret. */
  readonly digest: string;
  readonly state: ClaimCodeState;
  /** Who made it stands behind the credential that comes of it. */
  readonly madeBy: Party;
  readonly expiresAt: number;
  /** Once it is used: by whose key, when, and for which certificate. */
  readonly used?:
    | { readonly at: number; readonly subjectKey: string; readonly certificateId: string }
    | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface ClaimCodeFilter {
  readonly identityId?: string | undefined;
  readonly state?: ClaimCodeState | undefined;
}

export interface ClaimCodeStore {
  /** `unique_conflict` (`public_id`) for a code seen before; `missing_reference` when the identity does not exist. */
  insert(record: ClaimCodeRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`. `version_conflict` otherwise. */
  replace(record: ClaimCodeRecord): Promise<void>;
  byId(id: string): Promise<ClaimCodeRecord | undefined>;
  byPublicId(publicId: string): Promise<ClaimCodeRecord | undefined>;
  list(filter: ClaimCodeFilter, page: PageRequest): Promise<Page<ClaimCodeRecord>>;
  /** Forgets those that ended before `before` (epoch ms), at most `limit`; says how many. */
  forget(before: number, limit: number): Promise<number>;
}
