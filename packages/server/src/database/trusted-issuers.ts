import type {
  IssuerKeys,
  PeopleSettings,
  TrustedIssuerKind,
  TrustedIssuerRecord,
  TrustedIssuerStore,
} from '../storage/trusted-issuers.ts';
import { type Session, statement } from './database.ts';
import { conditions } from './list.ts';
import { type VersionedTable, versionedTable } from './versioned.ts';

interface TrustedIssuerRow {
  id: string;
  issuer: string;
  name: string;
  kind: string;
  /** JSON. */
  key_source: string;
  ca: string | null;
  /** Space-separated. */
  algorithms: string;
  audience: string | null;
  max_token_age: number;
  earlier_max_token_age: number | null;
  earlier_until: number | null;
  single_use: number;
  /** JSON. */
  people: string | null;
  state: string;
  created_at: number;
  updated_at: number;
  version: number;
}

const trustedIssuers: VersionedTable<TrustedIssuerRecord> = versionedTable<
  TrustedIssuerRecord,
  TrustedIssuerRow
>({
  table: 'trusted_issuers',
  history: 'trusted_issuer_history',
  columns: [
    'id',
    'issuer',
    'name',
    'kind',
    'key_source',
    'ca',
    'algorithms',
    'audience',
    'max_token_age',
    'earlier_max_token_age',
    'earlier_until',
    'single_use',
    'people',
    'state',
    'created_at',
    'updated_at',
    'version',
  ],
  // Rules are about the tokens of one issuer: another issuer is another record.
  fixed: ['issuer', 'kind', 'created_at'],
  toRow: (record) => ({
    id: record.id,
    issuer: record.issuer,
    name: record.name,
    kind: record.kind,
    key_source: JSON.stringify(record.keys),
    ca: record.ca,
    algorithms: record.algorithms.join(' '),
    audience: record.audience,
    max_token_age: record.maxTokenAge,
    earlier_max_token_age: record.earlierTokens?.maxAge,
    earlier_until: record.earlierTokens?.until,
    single_use: record.singleUse,
    people: record.people === undefined ? undefined : JSON.stringify(record.people),
    state: record.state,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    version: record.version,
  }),
  fromRow: (row) => ({
    id: row.id,
    issuer: row.issuer,
    name: row.name,
    kind: row.kind as TrustedIssuerKind,
    keys: JSON.parse(row.key_source) as IssuerKeys,
    ca: row.ca ?? undefined,
    algorithms: row.algorithms.split(' '),
    audience: row.audience ?? undefined,
    maxTokenAge: row.max_token_age,
    earlierTokens:
      row.earlier_max_token_age === null || row.earlier_until === null
        ? undefined
        : { maxAge: row.earlier_max_token_age, until: row.earlier_until },
    singleUse: row.single_use === 1,
    people: row.people === null ? undefined : readPeople(row.people),
    state: row.state as TrustedIssuerRecord['state'],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }),
});

/** JSON has no undefined. */
function readPeople(text: string): PeopleSettings {
  const settings = JSON.parse(text) as PeopleSettings;
  return { ...settings, consoleClientId: settings.consoleClientId };
}

const selectOfPeople = statement(
  'trusted_issuers_of_people',
  `SELECT ${trustedIssuers.columns} FROM trusted_issuers WHERE kind = 'people' ORDER BY created_at, id`,
);
const selectByIssuer = statement(
  'trusted_issuers_by_issuer',
  `SELECT ${trustedIssuers.columns} FROM trusted_issuers WHERE issuer = $1 AND state <> 'deleted'`,
);

export function trustedIssuerStore(session: Session): TrustedIssuerStore {
  return {
    insert: (record) => session.write((tx) => trustedIssuers.insert(tx, record)),
    replace: (record) => session.write((tx) => trustedIssuers.replace(tx, record)),
    byId: (id) => trustedIssuers.byId(session, id),
    byIssuer: async (issuer) => (await trustedIssuers.select(session, selectByIssuer, [issuer]))[0],
    ofPeople: () => trustedIssuers.select(session, selectOfPeople, []),
    list: async (filter, page) => {
      const where = conditions();
      where.add("state <> 'deleted'");
      where.contains(['name', 'issuer'], filter.text);
      return await trustedIssuers.list(session, where, page);
    },
  };
}
