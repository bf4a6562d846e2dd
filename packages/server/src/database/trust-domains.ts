import type { TrustDomainRecord, TrustDomainStore } from '../storage/trust-domains.ts';
import { type Session, statement } from './database.ts';
import { conditions } from './list.ts';
import { type VersionedTable, versionedTable } from './versioned.ts';

interface TrustDomainRow {
  id: string;
  trust_domain: string;
  name: string | null;
  /** JSON. */
  bundle: string | null;
  bundle_endpoint: string | null;
  endpoint_spiffe_id: string | null;
  state: string;
  created_at: number;
  updated_at: number;
  version: number;
}

const domains: VersionedTable<TrustDomainRecord> = versionedTable<TrustDomainRecord, TrustDomainRow>({
  table: 'trust_domains',
  history: 'trust_domain_history',
  columns: [
    'id',
    'trust_domain',
    'name',
    'bundle',
    'bundle_endpoint',
    'endpoint_spiffe_id',
    'state',
    'created_at',
    'updated_at',
    'version',
  ],
  fixed: ['trust_domain', 'created_at'],
  toRow: (record) => ({
    id: record.id,
    trust_domain: record.trustDomain,
    name: record.name,
    bundle: record.bundle,
    bundle_endpoint: record.bundleEndpoint,
    endpoint_spiffe_id: record.endpointSpiffeId,
    state: record.state,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    version: record.version,
  }),
  fromRow: (row) => ({
    id: row.id,
    trustDomain: row.trust_domain,
    name: row.name ?? undefined,
    bundle: row.bundle ?? undefined,
    bundleEndpoint: row.bundle_endpoint ?? undefined,
    endpointSpiffeId: row.endpoint_spiffe_id ?? undefined,
    state: row.state as TrustDomainRecord['state'],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }),
});

const selectByDomain = statement(
  'trust_domains_by_domain',
  `SELECT ${domains.columns} FROM trust_domains WHERE trust_domain = $1 AND state <> 'deleted'`,
);

const selectFetched = statement(
  'trust_bundles_fetched',
  'SELECT declaration, bundle, fetched_at FROM trust_bundles WHERE trust_domain_id = $1',
);
const keepFetched = statement(
  'trust_bundles_keep',
  `INSERT INTO trust_bundles (trust_domain_id, declaration, bundle, fetched_at) VALUES ($1, $2, $3, $4)
   ON CONFLICT (trust_domain_id) DO UPDATE SET declaration = excluded.declaration, bundle = excluded.bundle,
     fetched_at = excluded.fetched_at`,
);

interface FetchedRow {
  readonly declaration: string;
  readonly bundle: string;
  readonly fetched_at: number;
}

export function trustDomainStore(session: Session): TrustDomainStore {
  return {
    insert: (record) => session.write((tx) => domains.insert(tx, record)),
    replace: (record) => session.write((tx) => domains.replace(tx, record)),
    byId: (id) => domains.byId(session, id),
    byTrustDomain: async (name) => (await domains.select(session, selectByDomain, [name]))[0],
    list: async (page) => {
      const where = conditions();
      where.equals('state', 'active');
      return await domains.list(session, where, page);
    },
    async fetchedBundle(id) {
      const [row] = await session.query<FetchedRow>(selectFetched, [id]);
      return row && { declaration: row.declaration, bundle: row.bundle, fetchedAt: row.fetched_at };
    },
    async keepFetchedBundle(id, { declaration, bundle, fetchedAt }) {
      await session.run(keepFetched, [id, declaration, bundle, fetchedAt]);
    },
  };
}
