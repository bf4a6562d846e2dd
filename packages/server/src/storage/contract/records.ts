import type { AccessRecord } from '../access.ts';
import type { CredentialRecord } from '../credentials.ts';
import type { FindingRecord } from '../findings.ts';
import type { IdentityRecord } from '../identities.ts';
import type { OwnershipClockRecord } from '../ownership-clocks.ts';
import type { OwnershipOfferRecord } from '../ownership-offers.ts';
import type { PersonRecord } from '../people.ts';
import type { ProposalRecord } from '../proposals.ts';
import type { ResourceServerRecord } from '../resource-servers.ts';
import type { SigningKeyRecord } from '../signing-keys.ts';
import type { Storage } from '../storage.ts';
import type { TeamRecord } from '../teams.ts';
import type { TrustedIssuerRecord } from '../trusted-issuers.ts';

/** Records for the contract suite: complete, each with ids of its own, so that tests can share a database. */

/** An instant that all of them were made at; tests move from here. */
export const T0 = 1_800_000_000_000;

let count = 0;

/** A prefix and 20 characters, ascending in the order of the calls. */
export function freshId(prefix: string): string {
  count++;
  return `${prefix}_${String(count).padStart(20, '0')}`;
}

export function identityRecord(overrides: Partial<IdentityRecord> = {}): IdentityRecord {
  const id = overrides.id ?? freshId('idn');
  return {
    id,
    clientId: `client-${id}`,
    name: 'Payments',
    kind: 'service',
    environment: 'prod',
    purpose: 'pays invoices',
    owner: { person: 'ada', backup: undefined, team: 'treasury' },
    sensitivity: 2,
    cadence: 'continuous',
    state: 'active',
    stateReason: undefined,
    stateSince: T0,
    securityStop: false,
    builtIn: false,
    expiresAt: T0 + 1e10,
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

export function credentialRecord(
  identityId: string,
  overrides: Partial<CredentialRecord> = {},
): CredentialRecord {
  const id = overrides.id ?? freshId('crd');
  return {
    id,
    identityId,
    label: 'first',
    state: 'active',
    material: { type: 'client_secret', publicId: `public-${id}`, digest: 'c2VjcmV0' },
    notBeforeAt: T0,
    expiresAt: T0 + 1e9,
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

export function resourceServerRecord(overrides: Partial<ResourceServerRecord> = {}): ResourceServerRecord {
  const id = overrides.id ?? freshId('rsv');
  return {
    id,
    identifier: `https://${id}.example`,
    name: 'Fraud',
    scopes: [
      { name: 'fraud:read', description: 'read scores', sensitivity: 1 },
      { name: 'fraud:write', description: 'write scores', sensitivity: 3 },
    ],
    token: { format: 'jwt', lifetime: undefined, signingAlg: 'ES256', typ: 'at+jwt' },
    senderConstraint: 'none',
    state: 'active',
    builtIn: false,
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

export function accessRecord(
  identityId: string,
  resourceServerId: string,
  overrides: Partial<AccessRecord> = {},
): AccessRecord {
  return {
    id: overrides.id ?? freshId('acs'),
    identityId,
    resourceServerId,
    scopes: ['fraud:read'],
    justification: 'scores before paying',
    state: 'active',
    requestedBy: 'ada',
    approvedBy: 'grace',
    approvedAt: T0,
    tokenLifetime: undefined,
    conditions: undefined,
    approvalId: undefined,
    expiresAt: T0 + 1e9,
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

export function trustedIssuerRecord(overrides: Partial<TrustedIssuerRecord> = {}): TrustedIssuerRecord {
  const id = overrides.id ?? freshId('tis');
  return {
    id,
    issuer: `https://${id}.example`,
    name: 'CI',
    kind: 'generic',
    keys: { from: 'discovery' },
    ca: undefined,
    algorithms: ['ES256'],
    audience: undefined,
    maxTokenAge: 3600,
    earlierTokens: undefined,
    singleUse: true,
    people: undefined,
    state: 'active',
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

export function signingKeyRecord(overrides: Partial<SigningKeyRecord> = {}): SigningKeyRecord {
  return {
    kid: overrides.kid ?? freshId('key'),
    alg: 'ES256',
    state: 'next',
    publicJwk: { kty: 'EC', crv: 'P-256', x: 'eA', y: 'eQ' },
    sealedPrivateKey: 'sealed',
    createdAt: T0,
    activeAt: T0 + 1000,
    retiringAt: undefined,
    removeAt: undefined,
    version: 1,
    ...overrides,
  };
}

export function findingRecord(identityId: string, overrides: Partial<FindingRecord> = {}): FindingRecord {
  return {
    id: overrides.id ?? freshId('fnd'),
    kind: 'weak_method',
    identityId,
    subject: 'credential',
    subjectId: freshId('crd'),
    severity: 'medium',
    reason: 'a client secret in prod',
    fix: 'countersign credentials create payments --type private_key_jwt --jwk-file public.jwk',
    state: 'open',
    acceptedBy: undefined,
    acceptedReason: undefined,
    acceptedUntil: undefined,
    lastSeenAt: T0,
    resolvedAt: undefined,
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

/** An identity and a resource server that are in the storage, for records that point at them. */
export async function pair(
  storage: Storage,
): Promise<{ readonly identity: IdentityRecord; readonly resourceServer: ResourceServerRecord }> {
  const identity = identityRecord();
  const resourceServer = resourceServerRecord();
  await storage.identities.insert(identity);
  await storage.resourceServers.insert(resourceServer);
  return { identity, resourceServer };
}

export function personRecord(overrides: Partial<PersonRecord> = {}): PersonRecord {
  const id = overrides.id ?? freshId('psn');
  return {
    id,
    handle: `person-${id}@example.com`,
    name: 'Ada Lovelace',
    email: undefined,
    externalId: undefined,
    status: 'active',
    leftAt: undefined,
    managerHandle: undefined,
    deleted: false,
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

export function teamRecord(overrides: Partial<TeamRecord> = {}): TeamRecord {
  const id = overrides.id ?? freshId('tem');
  return {
    id,
    name: `team-${id}`,
    members: [],
    lead: undefined,
    channel: undefined,
    deleted: false,
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

export function clockRecord(
  identityId: string,
  overrides: Partial<OwnershipClockRecord> = {},
): OwnershipClockRecord {
  return {
    identityId,
    person: 'ada',
    backup: undefined,
    interim: undefined,
    startedAt: T0,
    taken: 0,
    nextAt: T0,
    version: 1,
    ...overrides,
  };
}

export function offerRecord(
  identityId: string,
  overrides: Partial<OwnershipOfferRecord> = {},
): OwnershipOfferRecord {
  return {
    id: freshId('off'),
    identityId,
    from: 'ada',
    to: 'lin',
    candidate: 'lin',
    step: 'person',
    state: 'open',
    reason: undefined,
    offeredBy: 'admin',
    dueAt: T0 + 1000,
    decidedBy: undefined,
    decidedAt: undefined,
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

export function proposalRecord(identityId: string, overrides: Partial<ProposalRecord> = {}): ProposalRecord {
  return {
    id: freshId('prp'),
    kind: 'narrow',
    identityId,
    subject: 'access',
    subjectId: freshId('acs'),
    state: 'open',
    reason: 'b was not used',
    resource: 'https://api.test',
    change: { keep: ['a'], take: ['b'] },
    basis: {
      window: { from: T0 - 1000, to: T0 },
      cadence: 'daily',
      lastUsedAt: T0 - 5,
      ok: 3,
      denied: 1,
      scopes: [{ scope: 'a', answer: 'used', ok: 3, denied: 1, lastUsedAt: T0 - 5, days: 2 }],
      seenBy: [{ resourceServer: 'https://api.test', coverage: 0.99 }],
    },
    dismissedBy: undefined,
    dismissedReason: undefined,
    dismissedUntil: undefined,
    applied: undefined,
    refusals: 0,
    lastRefusedAt: undefined,
    nextAt: undefined,
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

/** The next version of a record. */
export function changed<T extends { readonly version: number; readonly updatedAt: number }>(
  record: T,
  overrides: Partial<T>,
): T {
  return { ...record, version: record.version + 1, updatedAt: record.updatedAt + 1000, ...overrides };
}
