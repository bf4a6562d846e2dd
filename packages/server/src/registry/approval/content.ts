import type { AccessRecord } from '../../storage/access.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import { rfc3339 } from '../views.ts';
import type { AskedFacts } from './requirement.ts';

/** What people approve, and the hash binds: docs/operate/approvals.md. Members are those of the admin API. */
export type Content = Readonly<Record<string, unknown>>;

interface Ends {
  readonly identity: Pick<IdentityRecord, 'clientId' | 'environment' | 'kind'>;
  readonly resourceServer: Pick<ResourceServerRecord, 'identifier' | 'scopes'>;
}

type AskedAccess = Pick<
  AccessRecord,
  'scopes' | 'conditions' | 'tokenLifetime' | 'expiresAt' | 'justification'
>;

export function accessContent(record: AskedAccess, { identity, resourceServer }: Ends): Content {
  return {
    identity: identity.clientId,
    resource_server: resourceServer.identifier,
    // In one order: in another they are the same scopes.
    scopes: [...record.scopes].sort(),
    conditions: record.conditions ?? null,
    token_lifetime: record.tokenLifetime ?? null,
    expires_at: rfc3339(record.expiresAt),
    justification: record.justification,
  };
}

export function identityContent(record: IdentityRecord): Content {
  const { person, backup, team } = record.owner;
  return {
    client_id: record.clientId,
    name: record.name,
    kind: record.kind,
    environment: record.environment,
    purpose: record.purpose,
    owner: { person, backup: backup ?? null, team: team ?? null },
    sensitivity: record.sensitivity,
    cadence: record.cadence,
    expires_at: rfc3339(record.expiresAt),
  };
}

export function accessFacts(scopes: readonly string[], { identity, resourceServer }: Ends): AskedFacts {
  const asked = resourceServer.scopes.filter(({ name }) => scopes.includes(name));
  return {
    subject: 'access',
    environment: identity.environment,
    kind: identity.kind,
    sensitivity: Math.max(0, ...asked.map(({ sensitivity }) => sensitivity)),
    resourceServer: resourceServer.identifier,
  };
}

export function identityFacts({ environment, kind, sensitivity }: IdentityRecord): AskedFacts {
  return { subject: 'identity', environment, kind, sensitivity, resourceServer: undefined };
}

/** Members in which the two differ, sorted. */
export function differingMembers(before: Content, after: Content): readonly string[] {
  const members = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...members]
    .filter((member) => JSON.stringify(before[member]) !== JSON.stringify(after[member]))
    .sort();
}
