import type { Page, PageRequest } from './page.ts';

/** A SPIFFE trust domain that is not this deployment's. */
export interface TrustDomainRecord {
  readonly id: string;
  /** Its name; unique among those that are not deleted. Never changes. */
  readonly trustDomain: string;
  /** What people call it. */
  readonly name: string | undefined;
  /** Its trust bundle, JSON text: all that is known of it, or what its endpoint is believed by at first. */
  readonly bundle: string | undefined;
  /** Where it publishes its bundle. */
  readonly bundleEndpoint: string | undefined;
  /** Who answers there (https_spiffe); undefined where the platform's authorities say so (https_web). */
  readonly endpointSpiffeId: string | undefined;
  readonly state: 'active' | 'deleted';
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

/** What an endpoint answered last, so that a start, and another node, go on from there. */
export interface FetchedBundle {
  /** Digest of what it was fetched by: an answer to another declaration says nothing. */
  readonly declaration: string;
  /** JSON text, as it came. */
  readonly bundle: string;
  /** Epoch ms. */
  readonly fetchedAt: number;
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
  fetchedBundle(id: string): Promise<FetchedBundle | undefined>;
  /** In the place of the last one. What one node wrote later stands: what it is worth is judged by who reads it. */
  keepFetchedBundle(id: string, fetched: FetchedBundle): Promise<void>;
}
