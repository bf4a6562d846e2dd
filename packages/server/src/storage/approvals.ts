import type { ApprovalState, ApprovalSubject } from '@countersign/admin-api';
import type { Page, PageRequest } from './page.ts';

export type { ApprovalState, ApprovalSubject };

/** Somebody or something that asks or acts: a human who signed in, or a machine with what it proved itself by. */
export type Party =
  | { readonly kind: 'machine'; readonly clientId: string; readonly credential?: string | undefined }
  | {
      readonly kind: 'person';
      readonly issuer: string;
      readonly subject: string;
      readonly handle: string;
      readonly email?: string | undefined;
    }
  /** Somebody whom the registry names: an owner, at the moment of asking. */
  | { readonly kind: 'named'; readonly handle: string };

/** Something asked for that people decide on. What it asks for never changes: an edit ends it and begins another. */
export interface ApprovalRequestRecord {
  readonly id: string;
  readonly subject: ApprovalSubject;
  /** Id of the access or identity. */
  readonly subjectId: string;
  /** Whether it begins with this, or is to become this. */
  readonly op: 'create' | 'change';
  readonly identityId: string;
  /** Of an access. */
  readonly resourceServerId: string | undefined;
  /** What is asked for, as JSON has it. */
  readonly content: Readonly<Record<string, unknown>>;
  /** SHA-256 of the canonical JSON of `content`, in hexadecimal. */
  readonly contentHash: string;
  /** Highest that is asked for: 0 to 3. */
  readonly sensitivity: number;
  /** client_id, or handle of a person. */
  readonly requestedBy: string;
  /** Everybody who had a hand in what it asks for, earlier edits included. */
  readonly parties: readonly Party[];
  readonly state: ApprovalState;
  /** Why it ended as it did, in the words of who ended it. */
  readonly reason: string | undefined;
  readonly expiresAt: number;
  readonly decidedAt: number | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

/** What one person said of one request. Roles and teams are those of that moment. */
export interface ApprovalDecisionRecord {
  readonly requestId: string;
  readonly issuer: string;
  readonly subject: string;
  readonly handle: string;
  readonly email: string | undefined;
  readonly roles: readonly string[];
  readonly teams: readonly string[];
  readonly decision: 'approve' | 'reject';
  readonly comment: string | undefined;
  readonly contentHash: string;
  readonly at: number;
}

export interface ApprovalFilter {
  readonly state?: ApprovalState | undefined;
  readonly subjectId?: string | undefined;
  readonly identityId?: string | undefined;
  readonly resourceServerId?: string | undefined;
}

export interface ApprovalStore {
  /** `unique_conflict` (`subject`) while another request about the subject is pending; `missing_reference` for its identity. */
  insert(record: ApprovalRequestRecord): Promise<void>;
  /** Compare-and-swap on `version - 1` of state, reason, decidedAt and updatedAt. `version_conflict` otherwise. */
  replace(record: ApprovalRequestRecord): Promise<void>;
  byId(id: string): Promise<ApprovalRequestRecord | undefined>;
  /** The pending ones about these subjects, at most 1000 of them. */
  pendingOf(subjectIds: readonly string[]): Promise<readonly ApprovalRequestRecord[]>;
  /** Oldest first. */
  list(filter: ApprovalFilter, page: PageRequest): Promise<Page<ApprovalRequestRecord>>;
  /** Pending ones whose end is at or before `now`, the earliest first; at most `limit`. */
  due(now: number, limit: number): Promise<readonly ApprovalRequestRecord[]>;
  /** `unique_conflict` (`id`) when this person has decided on the request already. */
  decide(decision: ApprovalDecisionRecord): Promise<void>;
  /** What was said of these requests, at most 1000 of them; in the order in which it was said. */
  decisionsOf(requestIds: readonly string[]): Promise<readonly ApprovalDecisionRecord[]>;
}
