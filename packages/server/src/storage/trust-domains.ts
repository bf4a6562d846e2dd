import type { Page, PageRequest } from './page.ts';

/** A SPIFFE trust domain that is not this deployment's. */
export interface TrustDomainRecord {
  readonly id: string;
  /** Its name; unique among those that are not deleted. Never changes. */
  readonly trustDomain: string;
  /** What people call it. */
  readonly name: string | undefined;
  /** Its trust bundle, JSON text. Either this or the next. */
  readonly bundle: string | undefined;
  /** Where it publishes its bundle. */
  readonly bundleEndpoint: string | undefined;
  readonly state: 'active' | 'deleted';
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface TrustDomainStore {
  /** Version 1, with its history row. `unique_conflict` (`trust_domain`) when one that is not deleted has it. */
  insert(record: TrustDomainRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`, with its history row; the trust domain stays. `version_conflict`. */
  replace(record: TrustDomainRecord): Promise<void>;
  byId(id: string): Promise<TrustDomainRecord | undefined>;
  /** Not a deleted one. */
  byTrustDomain(trustDomain: string): Promise<TrustDomainRecord | undefined>;
  /** Not deleted ones only, oldest first. */
  list(page: PageRequest): Promise<Page<TrustDomainRecord>>;
}
