import type { PeopleSettings, Role, TrustedIssuerRecord } from '../storage/trusted-issuers.ts';
import { ISSUER_KINDS } from './federation-rule.ts';
import { rfc3339 } from './views.ts';

/** As the contract has it: what is not set is not there. */
export interface PeopleView {
  client_id: string;
  console_client_id?: string;
  scope: string;
  handle_claim: string;
  groups_claim: string;
  session_lifetime: number;
  roles: Partial<Record<Role, string[]>>;
  teams: Record<string, string[]>;
}

export function peopleView(settings: PeopleSettings): PeopleView {
  const { consoleClientId: consoleName } = settings;
  const lists = (record: Readonly<Record<string, readonly string[]>>): Record<string, string[]> =>
    Object.fromEntries(Object.entries(record).map(([name, groups]) => [name, [...groups]]));
  return {
    client_id: settings.clientId,
    ...(consoleName === undefined ? {} : { console_client_id: consoleName }),
    scope: settings.scope,
    handle_claim: settings.handleClaim,
    groups_claim: settings.groupsClaim,
    session_lifetime: settings.sessionLifetime,
    roles: lists(settings.roles),
    teams: lists(settings.teams),
  };
}

/** A trusted issuer as people and programs see it; see views.ts. */
export interface TrustedIssuerView {
  id: string;
  issuer: string;
  name: string;
  kind: TrustedIssuerRecord['kind'];
  jwks_uri: string | null;
  jwks: Record<string, unknown> | null;
  ca: string | null;
  algorithms: string[];
  audience: string | null;
  max_token_age: number;
  single_use: boolean;
  people: PeopleView | null;
  required_conditions: string[];
  state: TrustedIssuerRecord['state'];
  created_at: string;
  updated_at: string;
  version: number;
}

export function trustedIssuerView(record: TrustedIssuerRecord): TrustedIssuerView {
  const { keys } = record;
  return {
    id: record.id,
    issuer: record.issuer,
    name: record.name,
    kind: record.kind,
    jwks_uri: keys.from === 'jwks_uri' ? keys.uri : null,
    jwks: keys.from === 'jwks' ? { ...keys.jwks } : null,
    ca: record.ca ?? null,
    algorithms: [...record.algorithms],
    audience: record.audience ?? null,
    max_token_age: record.maxTokenAge,
    single_use: record.singleUse,
    people: record.people === undefined ? null : peopleView(record.people),
    required_conditions: [...ISSUER_KINDS[record.kind].pins],
    state: record.state,
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}
