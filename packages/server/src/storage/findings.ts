import type { FindingKind, FindingSeverity, FindingState, FindingSubject } from '@countersign/admin-api';
import type { Page, PageRequest } from './page.ts';

export type { FindingKind, FindingSeverity, FindingState, FindingSubject };

/** Something wrong with an identity. While it is open or accepted it is live: there is one of its kind about its subject. */
export interface FindingRecord {
  readonly id: string;
  readonly kind: FindingKind;
  readonly identityId: string;
  readonly subject: FindingSubject;
  readonly subjectId: string;
  readonly severity: FindingSeverity;
  /** What is wrong, for people. */
  readonly reason: string;
  /** One command that makes it right. */
  readonly fix: string;
  readonly state: FindingState;
  /** While it is accepted: by whom, why and until when. */
  readonly acceptedBy: string | undefined;
  readonly acceptedReason: string | undefined;
  readonly acceptedUntil: number | undefined;
  /** When it was last seen to be so. */
  readonly lastSeenAt: number;
  readonly resolvedAt: number | undefined;
  /** When it was first seen. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface FindingFilter {
  readonly identityId?: string | undefined;
  readonly subjectId?: string | undefined;
  readonly kind?: FindingKind | undefined;
  readonly severity?: FindingSeverity | undefined;
  readonly state?: FindingState | undefined;
}

export interface FindingStore {
  /**
   * `unique_conflict` (`kind_subject`) while another of its kind about its subject is live; `missing_reference` when the
   * identity does not exist.
   */
  insert(record: FindingRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`; kind, subject and identity never change. `version_conflict` otherwise. */
  replace(record: FindingRecord): Promise<void>;
  /** Sets `lastSeenAt` of a live one, and nothing else: no version, for nothing about it changed. */
  seen(id: string, at: number): Promise<void>;
  byId(id: string): Promise<FindingRecord | undefined>;
  /** The identity's live ones, oldest first, at most 10,000: more than its credentials and access can give. */
  liveOfIdentity(identityId: string): Promise<readonly FindingRecord[]>;
  list(filter: FindingFilter, page: PageRequest): Promise<Page<FindingRecord>>;
}
