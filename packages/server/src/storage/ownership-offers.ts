import type { OfferState, OfferStep } from '@countersign/admin-api';
import type { Page, PageRequest } from './page.ts';

export type { OfferState, OfferStep };

/** An identity is offered to a person, who becomes accountable for it by accepting and not before. */
export interface OwnershipOfferRecord {
  readonly id: string;
  readonly identityId: string;
  /** Handle of who was accountable when it was made. */
  readonly from: string;
  /** Handle of whom it was made to. */
  readonly to: string;
  /** Handle of who may accept it at this step. */
  readonly candidate: string;
  readonly step: OfferStep;
  readonly state: OfferState;
  readonly reason: string | undefined;
  /** client_id of a machine, `person:<handle>`, or `countersign`. */
  readonly offeredBy: string;
  /** When it goes on to the next step. */
  readonly dueAt: number;
  /** Handle of who accepted or declined it. */
  readonly decidedBy: string | undefined;
  readonly decidedAt: number | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface OwnershipOfferFilter {
  readonly identityId?: string | undefined;
  /** Without regard to ASCII case, as in `PersonStore`. */
  readonly candidate?: string | undefined;
  readonly state?: OfferState | undefined;
}

export interface OwnershipOfferStore {
  /** `unique_conflict` (`open_offer`) while the identity has an open one. Tells of a change of the identity, as the next. */
  insert(record: OwnershipOfferRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`; whose it is and to whom it was made stays. `version_conflict`. */
  replace(record: OwnershipOfferRecord): Promise<void>;
  byId(id: string): Promise<OwnershipOfferRecord | undefined>;
  /** The newest of an identity. */
  latestOf(identityId: string): Promise<OwnershipOfferRecord | undefined>;
  /** Open ones that have waited until `now`, the longest due first. */
  due(now: number, limit: number): Promise<readonly OwnershipOfferRecord[]>;
  /** Oldest first. */
  list(filter: OwnershipOfferFilter, page: PageRequest): Promise<Page<OwnershipOfferRecord>>;
}
