import { parseSpiffeId, type TrustDomain } from '@countersign/protocol';
import { newId } from '../../ids.ts';
import type { Stores } from '../../storage/storage.ts';
import type { TrustDomainRecord } from '../../storage/trust-domains.ts';
import { type RuleDeps, same, type Tell } from '../change-rules.ts';
import type { FetchDeps } from '../fetched-url.ts';
import { identitiesWith } from '../identities-with.ts';
import { type Ceiling, type MayActAsStores, requireMayActAs } from '../own-access.ts';
import { RegistryRefusal } from '../refusal.ts';
import { rfc3339 } from '../views.ts';

export type TrustDomainDeps = RuleDeps & FetchDeps & { readonly trustDomain: TrustDomain };
type Writing = Pick<Stores, 'trustDomains'>;
type Giving = Writing & Pick<Stores, 'credentials'> & MayActAsStores;

export interface TrustDomainView {
  id: string;
  trust_domain: string;
  name: string | null;
  bundle: Record<string, unknown> | null;
  bundle_endpoint: string | null;
  endpoint_spiffe_id: string | null;
  state: TrustDomainRecord['state'];
  created_at: string;
  updated_at: string;
  version: number;
}

export function trustDomainView(record: TrustDomainRecord): TrustDomainView {
  return {
    id: record.id,
    trust_domain: record.trustDomain,
    name: record.name ?? null,
    bundle: record.bundle === undefined ? null : (JSON.parse(record.bundle) as Record<string, unknown>),
    bundle_endpoint: record.bundleEndpoint ?? null,
    endpoint_spiffe_id: record.endpointSpiffeId ?? null,
    state: record.state,
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

export type NewTrustDomain = Pick<
  TrustDomainRecord,
  'trustDomain' | 'name' | 'bundle' | 'bundleEndpoint' | 'endpointSpiffeId'
>;

export async function createTrustDomain(
  deps: TrustDomainDeps,
  stores: Giving,
  tell: Tell,
  ceiling: Ceiling,
  asked: NewTrustDomain,
): Promise<TrustDomainRecord> {
  if (asked.trustDomain === deps.trustDomain) {
    throw new RegistryRefusal(
      'already_exists',
      `${asked.trustDomain} is the trust domain of this deployment`,
      {
        pointer: '/trust_domain',
      },
    );
  }
  const taken = await stores.trustDomains.byTrustDomain(asked.trustDomain);
  if (taken !== undefined) {
    throw new RegistryRefusal('already_exists', `${asked.trustDomain} is declared already`, {
      pointer: '/trust_domain',
      existing: taken.id,
    });
  }
  requireFetchable(deps, asked.bundleEndpoint);
  requireFirstBundle(asked);
  // It may have been declared before, and credentials name it since.
  await requireMayProve(ceiling, stores, asked.trustDomain);
  const now = deps.clock.now();
  const record: TrustDomainRecord = {
    id: newId('tdm', deps.random),
    ...asked,
    state: 'active',
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await stores.trustDomains.insert(record);
  tell({ type: 'trust_domain.created', resource: record.id, after: trustDomainView(record) });
  return record;
}

export interface TrustDomainChange {
  /** null takes it away. */
  readonly name?: string | null | undefined;
  /** These three change together: what is not given is gone where one of them is. */
  readonly bundle?: string | undefined;
  readonly bundleEndpoint?: string | undefined;
  readonly endpointSpiffeId?: string | undefined;
}

/** The record with the change made; the same record, and no event, when there is nothing to change. */
export async function changeTrustDomain(
  deps: TrustDomainDeps,
  stores: Giving,
  tell: Tell,
  ceiling: Ceiling,
  record: TrustDomainRecord,
  { name, bundle, bundleEndpoint, endpointSpiffeId }: TrustDomainChange,
): Promise<TrustDomainRecord> {
  requireFetchable(deps, bundleEndpoint);
  const isKept = bundle === undefined && bundleEndpoint === undefined;
  const verifiedWith = isKept ? {} : { bundle, bundleEndpoint, endpointSpiffeId };
  const changed: TrustDomainRecord = {
    ...record,
    name: name === undefined ? record.name : (name ?? undefined),
    ...verifiedWith,
  };
  requireFirstBundle(changed);
  if (same(trustDomainView(changed), trustDomainView(record))) return record;
  if (!same(trustDomainView(changed), trustDomainView({ ...record, name: changed.name })))
    await requireMayProve(ceiling, stores, record.trustDomain);
  return await replace(deps, stores, tell, record, changed, 'trust_domain.updated');
}

export async function deleteTrustDomain(
  deps: TrustDomainDeps,
  stores: Writing,
  tell: Tell,
  record: TrustDomainRecord,
): Promise<TrustDomainRecord> {
  return await replace(deps, stores, tell, record, { ...record, state: 'deleted' }, 'trust_domain.deleted');
}

/** Whoever says which SVIDs are good can become every identity with a credential that names one: it needs what they have. */
async function requireMayProve(ceiling: Ceiling, stores: Giving, trustDomain: string): Promise<void> {
  if (ceiling === undefined) return;
  const prefix = `spiffe://${trustDomain}/`;
  const named = identitiesWith(
    stores,
    { type: 'spiffe' },
    ({ material }) => material.type === 'spiffe' && material.spiffeId.startsWith(prefix),
  );
  for await (const identityId of named) await requireMayActAs(ceiling, stores, identityId);
}

function requireFetchable({ fetchFault }: FetchDeps, url: string | undefined): void {
  const fault = url === undefined ? undefined : fetchFault(url);
  if (fault === undefined) return;
  throw new RegistryRefusal(
    'unacceptable_url',
    `nothing is fetched from there (${fault}); what is not public needs the setting outbound-allow`,
    { pointer: '/bundle_endpoint' },
  );
}

/** SPIFFE_Federation.md §5.2.2: an endpoint that answers as a workload of the trust domain itself is believed by a bundle that is given. */
function requireFirstBundle({ trustDomain, bundle, endpointSpiffeId = '' }: NewTrustDomain): void {
  const by = parseSpiffeId(endpointSpiffeId)?.trustDomain;
  if (by === undefined || (bundle === undefined) !== (by === trustDomain)) return;
  const message =
    bundle === undefined
      ? `an endpoint of ${trustDomain} itself is believed by its bundle: give the present one as well`
      : `an endpoint of ${by} is believed by the bundle of ${by}: this one would say nothing`;
  throw new RegistryRefusal('unfitting_settings', message, { pointer: '/bundle' });
}

async function replace(
  deps: TrustDomainDeps,
  stores: Writing,
  tell: Tell,
  before: TrustDomainRecord,
  after: TrustDomainRecord,
  type: string,
): Promise<TrustDomainRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.trustDomains.replace(next);
  tell({ type, resource: before.id, before: trustDomainView(before), after: trustDomainView(next) });
  return next;
}
