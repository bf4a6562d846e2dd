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
  };
}
