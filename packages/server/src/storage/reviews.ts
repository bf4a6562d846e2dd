import type { OnSilence, RemainingTokens, ReviewState } from '@countersign/admin-api';
import type { Environment, IdentityKind } from './identities.ts';
import type { Page, PageRequest, Position } from './page.ts';

export type { OnSilence, RemainingTokens, ReviewState };

/** Which access a campaign is about; a member that is left out matches all. */
export interface ReviewQuery {
  readonly resourceServerId?: string | undefined;
  readonly scope?: string | undefined;
  readonly environments?: readonly Environment[] | undefined;
  readonly kinds?: readonly IdentityKind[] | undefined;
  /** Of the most sensitive scope. */
  readonly minSensitivity?: number | undefined;
  readonly team?: string | undefined;
  readonly owner?: string | undefined;
  /** Milliseconds until the start in which no use was reported. */
  readonly notUsedForMs?: number | undefined;
}

/** A campaign in which people decide on access. */
export interface ReviewRecord {
  readonly id: string;
  readonly name: string;
  readonly query: ReviewQuery;
  /** `owner`, `backup`, `role:reviewer`, `person:…`, `team:…`: see governance/reviews/assign.ts. */
  readonly reviewers: readonly string[];
  readonly fallback: string;
  readonly notOwner: boolean;
  /** Undefined: when somebody starts it. */
  readonly opensAt: number | undefined;
  readonly dueAt: number;
  /** What is undecided then is suspended. */
  readonly silenceAt: number;
  /** Milliseconds before `dueAt`, the longest first. */
  readonly reminders: readonly number[];
  /** How many of them are past. */
  readonly reminded: number;
  readonly onSilence: OnSilence;
  readonly tokens: RemainingTokens;
  /** Milliseconds of which use is shown. */
  readonly useWithinMs: number;
  /** Milliseconds from one opening to the next. */
  readonly repeatEveryMs: number | undefined;
  readonly state: ReviewState;
  readonly stateReason: string | undefined;
  /** How many there are. */
  readonly items: number;
  /** While it starts: how far the access has been looked through. */
  readonly lookedUpTo: Position | undefined;
  /** When there is something to do with it again; undefined: never. */
  readonly nextAt: number | undefined;
  readonly createdBy: string;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface ReviewFilter {
  readonly state?: ReviewState | undefined;
}

export interface ReviewStore {
  insert(record: ReviewRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`. `version_conflict` otherwise. */
  replace(record: ReviewRecord): Promise<void>;
  byId(id: string): Promise<ReviewRecord | undefined>;
  /** As `byId`, and nobody changes it before this transaction ends. */
  hold(id: string): Promise<ReviewRecord | undefined>;
  /** Oldest first. */
  list(filter: ReviewFilter, page: PageRequest): Promise<Page<ReviewRecord>>;
  /** Those whose `nextAt` has come, the longest overdue first. */
  due(now: number, limit: number): Promise<readonly ReviewRecord[]>;
  /** How many have not ended. */
  live(): Promise<number>;
}
