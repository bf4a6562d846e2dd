import type { ProposalKind, ProposalState, ProposalSubject } from '@countersign/admin-api';
import type { AccessConditions } from './access.ts';
import type { Page, PageRequest } from './page.ts';
import type { Span } from './usage-coverage.ts';

export type { ProposalKind, ProposalState, ProposalSubject };

/** What it would change. Members that do not concern its kind are absent. */
export interface ProposedChange {
  /** Scopes that stay, and that go. */
  readonly keep?: readonly string[];
  readonly take?: readonly string[];
  /** Seconds. */
  readonly tokenLifetime?: { readonly from: number; readonly to: number };
  /** Id of the credential that is used in place of this one. */
  readonly inFavourOf?: string;
}

export interface BasisScope {
  readonly scope: string;
  readonly answer: 'used' | 'unused' | 'unknown';
  readonly ok: number;
  readonly denied: number;
  readonly lastUsedAt: number | undefined;
  readonly days: number;
}

/** What it rests on: the time that was looked at, what was seen in it, and who would have told. Instants are epoch ms. */
export interface ProposalBasis {
  readonly window: Span;
  readonly cadence: string;
  readonly lastUsedAt: number | undefined;
  readonly ok: number;
  readonly denied: number;
  readonly scopes: readonly BasisScope[];
  /** `resourceServer` is an identifier; undefined: the authority itself. */
  readonly seenBy: readonly { readonly resourceServer: string | undefined; readonly coverage: number }[];
}

/** Who carried it out, as an actor is known again when it is taken back by itself. */
export interface AppliedBy {
  readonly identity: string;
  readonly credential?: string | undefined;
  readonly person?:
    | {
        readonly issuer: string;
        readonly subject: string;
        readonly handle: string;
        readonly signedInAt: number;
      }
    | undefined;
  readonly behind?: readonly string[] | undefined;
}

/** How it was before: what is given back, and nothing else. */
export interface Undo {
  readonly resourceServerId?: string;
  /** Scopes that were taken. */
  readonly scopes?: readonly string[];
  readonly justification?: string;
  readonly tokenLifetime?: number | undefined;
  readonly conditions?: AccessConditions | undefined;
  readonly expiresAt?: number;
  /** Refusals that had been counted by then, by scope. */
  readonly denied?: Readonly<Record<string, number>>;
  /** The version in which its subject was left; of an identity, since when (epoch ms) it is in its state. */
  readonly left?: number;
}

export interface Applied {
  readonly by: AppliedBy;
  readonly at: number;
  /** Until then refusals are watched, and it can be taken back. */
  readonly until: number;
  readonly undo: Undo;
  /** The audit log was looked through up to here (its sequence), and told of so many refusals of tokens. */
  readonly watchedSeq: number;
  readonly refusedTokens: number;
  /** The request under which giving it back waits for people, and what came about with it. */
  readonly approvalId?: string | undefined;
}

/** Something that an identity could do without, by what it uses. */
export interface ProposalRecord {
  readonly id: string;
  readonly kind: ProposalKind;
  readonly identityId: string;
  readonly subject: ProposalSubject;
  readonly subjectId: string;
  readonly state: ProposalState;
  readonly reason: string;
  /** Identifier, of an access. */
  readonly resource: string | undefined;
  readonly change: ProposedChange;
  readonly basis: ProposalBasis;
  readonly dismissedBy: string | undefined;
  readonly dismissedReason: string | undefined;
  readonly dismissedUntil: number | undefined;
  readonly applied: Applied | undefined;
  /** Refusals of what was taken away, seen since. */
  readonly refusals: number;
  readonly lastRefusedAt: number | undefined;
  /** When there is something to look at next; undefined: nothing by the clock. */
  readonly nextAt: number | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface ProposalFilter {
  readonly identityId?: string | undefined;
  readonly subjectId?: string | undefined;
  readonly kind?: ProposalKind | undefined;
  readonly state?: ProposalState | undefined;
}

export interface ProposalStore {
  /**
   * `unique_conflict` (`kind_subject`) while another of its kind about its subject is live: open, dismissed, applied, or waiting to be
   * taken back; `missing_reference` when the identity does not exist.
   */
  insert(record: ProposalRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`; kind, subject and identity never change. `version_conflict` otherwise. */
  replace(record: ProposalRecord): Promise<void>;
  byId(id: string): Promise<ProposalRecord | undefined>;
  /** The live ones of these identities, at most 500 of them, oldest first. */
  liveOf(identityIds: readonly string[]): Promise<readonly ProposalRecord[]>;
  /** Live ones for which `nextAt` has come at `until`, the longest overdue first. */
  due(until: number, limit: number): Promise<readonly ProposalRecord[]>;
  list(filter: ProposalFilter, page: PageRequest): Promise<Page<ProposalRecord>>;
}
