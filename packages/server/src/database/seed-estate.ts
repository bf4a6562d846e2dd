import type { AccessRecord } from '../storage/access.ts';
import type { CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';
import type { Storage } from '../storage/storage.ts';

/** For benches: an estate of any size, written through the storage port without the rules and events of the admin API. */

export interface EstateOptions {
  readonly identities: number;
  /** Epoch ms; everything expires a year later. */
  readonly now: number;
  /** A new secret at each call. */
  readonly newSecret: () => { readonly secret: string; readonly publicId: string };
  /** As the authority will compare it. */
  readonly digestOf: (secret: string) => string;
  /** How many clients are given back with their secrets; all when absent. */
  readonly clients?: number | undefined;
}

export interface Estate {
  /** Identifier of the one resource server, which has the scopes `read` and `list`; every identity holds both. */
  readonly resource: string;
  readonly clients: readonly { readonly clientId: string; readonly clientSecret: string }[];
}

const YEAR = 365 * 86_400_000;
/** Identities in one transaction. */
const CHUNK = 2000;

/** Rejects with `unique_conflict` when the storage has an estate already. */
export async function seedEstate(storage: Storage, options: EstateOptions): Promise<Estate> {
  const server = resourceServer(options.now);
  await storage.resourceServers.insert(server);
  const wanted = options.clients ?? options.identities;
  const clients: Estate['clients'][number][] = [];
  for (let from = 0; from < options.identities; from += CHUNK) {
    const indices = Array.from({ length: Math.min(CHUNK, options.identities - from) }, (_, n) => from + n);
    const secrets = indices.map(() => options.newSecret());
    // Side by side, for a database that takes the next statement before it has answered the one before.
    await storage.transaction(async ({ identities, credentials, access }) => {
      await Promise.all(indices.map((index) => identities.insert(identity(index, options.now))));
      await Promise.all(
        secrets.map(({ secret, publicId }, place) =>
          credentials.insert(credential(from + place, options, publicId, options.digestOf(secret))),
        ),
      );
      await Promise.all(indices.map((index) => access.insert(accessTo(server, index, options.now))));
    });
    for (const [place, index] of indices.entries()) {
      if (index < wanted)
        clients.push({ clientId: clientId(index), clientSecret: secrets[place]?.secret ?? '' });
    }
  }
  return { resource: server.identifier, clients };
}

function id(prefix: string, index: number): string {
  return `${prefix}_estate${String(index).padStart(14, '0')}`;
}

function clientId(index: number): string {
  return `estate-${index}`;
}

function resourceServer(now: number): ResourceServerRecord {
  const scope = (name: string) => ({ name, description: `${name} the estate`, sensitivity: 1 });
  return {
    id: id('rsv', 0),
    identifier: 'https://estate.example',
    name: 'Estate',
    scopes: [scope('read'), scope('list')],
    token: { format: 'jwt', lifetime: undefined, signingAlg: 'ES256', typ: 'at+jwt' },
    senderConstraint: 'none',
    state: 'active',
    builtIn: false,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
}

function identity(index: number, now: number): IdentityRecord {
  return {
    id: id('idn', index),
    clientId: clientId(index),
    name: `Service ${index} of the estate`,
    kind: 'service',
    environment: 'prod',
    purpose: 'is one of many',
    owner: { person: `person-${index % 500}`, backup: undefined, team: `team-${index % 50}` },
    sensitivity: index % 4,
    cadence: 'continuous',
    state: 'active',
    stateReason: undefined,
    stateSince: now,
    securityStop: false,
    builtIn: false,
    expiresAt: now + YEAR,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
}

function credential(
  index: number,
  { now }: EstateOptions,
  publicId: string,
  digest: string,
): CredentialRecord {
  return {
    id: id('crd', index),
    identityId: id('idn', index),
    label: 'estate',
    state: 'active',
    material: { type: 'client_secret', publicId, digest },
    notBeforeAt: now,
    expiresAt: now + YEAR,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
}

function accessTo(server: ResourceServerRecord, index: number, now: number): AccessRecord {
  return {
    id: id('acs', index),
    identityId: id('idn', index),
    resourceServerId: server.id,
    scopes: server.scopes.map(({ name }) => name),
    justification: 'the bench',
    state: 'active',
    requestedBy: 'bench',
    approvedBy: 'bench',
    approvedAt: now,
    tokenLifetime: undefined,
    conditions: undefined,
    approvalId: undefined,
    expiresAt: now + YEAR,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
}
