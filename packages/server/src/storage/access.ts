import type { AccessConditions, AccessState, Binding, Day } from '@countersign/admin-api';
import type { Environment, IdentityKind } from './identities.ts';
import type { Due, DuePage, Page, PageRequest } from './page.ts';

export type { AccessConditions, AccessState, Binding, Day };

/** Identity → resource server → scopes: who may hold what, why, until when, and who said so. */
export interface AccessRecord {
  readonly id: string;
  readonly identityId: string;
  readonly resourceServerId: string;
  readonly scopes: readonly string[];
  readonly justification: string;
  readonly state: AccessState;
  /** client_id of the machine or name of the person that asked. */
  readonly requestedBy: string;
  /** Who approved, joined by commas; undefined while requested. Without approval rules: who made it. */
  readonly approvedBy: string | undefined;
  readonly approvedAt: number | undefined;
  /** Seconds; an own ceiling for tokens under this access. */
  readonly tokenLifetime: number | undefined;
  /** When tokens are issued under it at all; undefined: always. */
  readonly conditions: AccessConditions | undefined;
  /** The approval request under which it came to what it is; undefined: no rule asked for one. */
  readonly approvalId: string | undefined;
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface AccessFilter {
  readonly identityId?: string | undefined;
  readonly resourceServerId?: string | undefined;
  readonly scope?: string | undefined;
  readonly state?: AccessState | undefined;
  /**
   * Ends in this span of time: after the first, at the second or before. The page is then in the order of the ends and not of creation; its positions are of no use
   * elsewhere. Only of what is so now.
   */
  readonly endsAfter?: number | undefined;
  readonly endsBefore?: number | undefined;
  /** Epoch ms: let through since then, or not; by `scope` if one is named. Only of what is so now. */
  readonly usedSince?: number | undefined;
  readonly notUsedSince?: number | undefined;
  /** What the identity is now; names without regard to ASCII case, as `IdentityFilter` has them. */
  readonly identity?:
    | {
        readonly environments?: readonly Environment[] | undefined;
        readonly kinds?: readonly IdentityKind[] | undefined;
        readonly ownerPerson?: string | undefined;
        readonly ownerTeam?: string | undefined;
      }
    | undefined;
}

export interface HeldFilter {
  readonly resourceServerId: string;
  readonly scope: string;
}

export interface AccessStore {
  /**
   * `unique_conflict` (`identity_resource_server`) while another access of the pair is live (requested, active or
   * suspended); `missing_reference` when identity or resource server does not exist.
   */
  insert(record: AccessRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`, with its history row. `version_conflict` otherwise. */
  replace(record: AccessRecord): Promise<void>;
  /**
   * Keeps others from replacing it until this transaction ends: for who reads or writes what stands beside the access,
   * which a compare-and-swap of the access alone does not see. `version_conflict` unless it is still this version.
   */
  hold(record: AccessRecord): Promise<void>;
  byId(id: string): Promise<AccessRecord | undefined>;
  /** Several at once, at most 1000, in any order; those that are not there are left out. */
  byIds(ids: readonly string[]): Promise<readonly AccessRecord[]>;
  /** The version that held at the instant `at` (epoch ms), or undefined when there was none yet. */
  asOf(id: string, at: number): Promise<AccessRecord | undefined>;
  /** Active ones of the identity, oldest first. At most 1000. */
  activeOfIdentity(identityId: string): Promise<readonly AccessRecord[]>;
  list(filter: AccessFilter, page: PageRequest): Promise<Page<AccessRecord>>;
  /** Every access as it was at the instant `at` (epoch ms), by the same filter; oldest first. None before its `createdAt`. */
  listAsOf(filter: AccessFilter, at: number, page: PageRequest): Promise<Page<AccessRecord>>;
  /** The versions that held the scope at `at`: active then, their end not reached, whatever the identity was; oldest first. */
  heldAt(filter: HeldFilter, at: number, page: PageRequest): Promise<Page<AccessRecord>>;
  /** Every version of every access of the pair, oldest first; of more than 1000 the latest. */
  historyOf(identityId: string, resourceServerId: string): Promise<readonly AccessRecord[]>;
  /** Those whose end has come at `until` and whose state does not say so, the longest overdue first. */
  due(until: number, page: DuePage): Promise<readonly Due[]>;
}
