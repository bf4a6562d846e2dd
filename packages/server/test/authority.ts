import { BlockList } from 'node:net';
import { type Role, scopesOfRoles } from '@countersign/admin-api';
import { createChanges, type Changes } from '../src/audit/change.ts';
import { createCutoffFollowers, type CutoffFollowers } from '../src/cutoff/followers.ts';
import { createCutoffLedger, type CutoffLedger } from '../src/cutoff/ledger.ts';
import { openMemoryStorage } from './memory-storage.ts';
import { createAdminRoutes, ensureAdmin, type GovernanceDeps } from '../src/governance/compose.ts';
import type { HttpRequest } from '../src/http/request.ts';
import { newId, pooledRandom } from '../src/ids.ts';
import { preparingKeys } from '../src/keys/prepared-keys.ts';
import { ensureSigningKey, rotate } from '../src/keys/rotation.ts';
import { createSeal } from '../src/keys/seal.ts';
import { createSigningKeystore, type SigningKeystore } from '../src/keys/signing-keystore.ts';
import { REFUSALS } from '../src/oauth/refusal.ts';
import { urlFault } from '../src/outbound/target.ts';
import { keepOfChanges } from '../src/registry/keep-of-changes.ts';
import { maximumAgeOf } from '../src/registry/credential-age.ts';
import { personClaims } from '../src/registry/signed-in-person.ts';
import { standingInDirectory } from '../src/registry/people.ts';
import { createFactsCache } from '../src/registry/facts-cache.ts';
import { ownerAcceptance } from '../src/registry/owner/acceptance.ts';
import { createSecretHash } from '../src/registry/secret-hash.ts';
import { createCredentialInstances } from '../src/registry/use/credential-instances.ts';
import { createEndingCallers } from '../src/registry/use/ending-callers.ts';
import { createRevocationLists } from '../src/ca/revocation-lists.ts';
import { compromiseKey } from '../src/ca/compromise.ts';
import { fakeLog, type FakeLog } from './fake-log.ts';
import { findRoute } from './find-route.ts';
import { openIssuing, TRUST_DOMAIN } from './issuing.ts';
import { localSigner } from '../src/signers/local.ts';
import type { Storage } from '../src/storage/storage.ts';
import type { TrustedIssuerRecord } from '../src/storage/trusted-issuers.ts';

/** A whole authority without a port: the real rules and stores on an in-memory database, time and the log in hand. */
export interface Authority {
  readonly deps: GovernanceDeps;
  readonly storage: Storage;
  readonly changes: Changes;
  readonly ledger: CutoffLedger;
  readonly followers: CutoffFollowers;
  readonly keystore: SigningKeystore;
  readonly log: FakeLog;
  readonly clock: { now(): number; advance(ms: number): void };
  readonly bugs: unknown[];
  readonly admin: { readonly clientId: string; readonly secret: string };
  /** A signed access token for an identity with its first credential and its access to the admin API. */
  tokenFor(clientId: string, claims?: Record<string, unknown>): Promise<string>;
  /** A signed access token of a person who signed in just now through `PEOPLE`. */
  personToken(handle: string, roles: readonly Role[], more?: PersonToken): Promise<string>;
  /** With the admin's token unless another one, or null for none, is given. */
  call(method: string, target: string, ask?: Ask): Promise<Answer>;
  close(): Promise<void>;
}

export interface PersonToken {
  readonly teams?: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface Ask {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  readonly token?: string | null;
  /** DER of what the connection shows. */
  readonly certificate?: Uint8Array | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly body: any;
  readonly text: string;
  readonly requestId: string;
}

export const ISSUER = 'https://authority.test';
export const RESOURCE = `${ISSUER}/v1`;
export const START = Date.parse('2026-11-21T12:00:00.250Z');

/** The issuer that vouches for people in tests. */
export const PEOPLE: TrustedIssuerRecord = {
  id: 'tis_people',
  issuer: 'https://people.test',
  name: 'people',
  kind: 'people',
  keys: { from: 'jwks', jwks: { keys: [] } },
  ca: undefined,
  algorithms: ['ES256'],
  audience: undefined,
  maxTokenAge: 300,
  earlierTokens: undefined,
  singleUse: true,
  people: {
    clientId: 'countersign',
    consoleClientId: undefined,
    scope: 'openid email',
    handleClaim: 'email',
    groupsClaim: 'groups',
    sessionLifetime: 3600,
    roles: {},
    teams: {},
  },
  state: 'active',
  createdAt: START,
  updatedAt: START,
  version: 1,
};

export async function openAuthority({
  mail = false,
  ...given
}: Partial<GovernanceDeps> & { readonly mail?: boolean } = {}): Promise<Authority> {
  let now = START;
  const clock = { now: () => now, advance: (ms: number) => void (now += ms) };
  const random = given.random ?? pooledRandom();
  const storage = preparingKeys(await openMemoryStorage(clock));
  const log = fakeLog();
  const changes = createChanges({
    storage,
    log,
    clock,
    random,
    node: 'test',
    keep: keepOfChanges({ random, mail }),
  });
  const seal = createSeal(new Uint8Array(32).fill(7), random);
  const signer = localSigner(seal);
  const day = 86_400_000;
  const schedule = { period: 30 * day, lead: day, retention: day };
  const rotation = { signer, clock, random, schedule };
  await changes.run({ identity: 'countersign' }, async (stores, tell) => {
    await rotate(rotation, stores, 'ES256', 'due', tell);
    await rotate(rotation, { ...stores, signingKeys: stores.svidKeys }, 'ES256', 'due', tell);
  });
  const keystore = await createSigningKeystore({ keys: storage.signingKeys, signer, clock });
  const svidKeystore = await createSigningKeystore({ keys: storage.svidKeys, signer, clock });
  const issuing = await openIssuing(storage, rotation);
  const reloads: Promise<void>[] = [];
  storage.onChange((change) => {
    if (change.kind === 'signing_keys') reloads.push(keystore.reload(), svidKeystore.reload());
    if (change.kind === 'certificate_authorities') reloads.push(issuing.ca.reload());
  });
  const secretHash = createSecretHash(new Uint8Array(32).fill(9));
  const ledger = createCutoffLedger({ storage, clock });
  const followers = createCutoffFollowers({ ledger, store: storage.cutoffReceipts, clock });
  const bugs: unknown[] = [];
  const deps: GovernanceDeps = {
    issuer: ISSUER,
    adminResource: RESOURCE,
    version: '0.0.0',
    node: 'test',
    storage,
    changes,
    log,
    facts: createFactsCache({ storage, capacity: 1000 }),
    people: {
      trustedIssuers: storage.trustedIssuers,
      builtIn: PEOPLE,
      standing: standingInDirectory(storage.people),
    },
    keystore,
    rotation,
    compromiseKey: (stores, id, tell) => compromiseKey({ ...rotation, ...issuing }, stores, id, tell),
    claimCodeLifetime: 30 * day,
    trustDomain: TRUST_DOMAIN,
    svidKeystore,
    svidLifetimes: { x509: 3_600_000, jwt: 300 },
    revocationLists: createRevocationLists({ storage, ca: issuing.ca, clock }),
    foreignBundles: async () => new Map(),
    issuing,
    requireSigningKey: (stores, alg, tell) => ensureSigningKey(rotation, stores, alg, tell),
    ledger,
    followers,
    ending: createEndingCallers(storage),
    instances: createCredentialInstances(storage.credentialInstances),
    rotationOverlap: 30 * day,
    lifetimes: { default: 600, maximum: 3600 },
    lifetimeLimits: undefined,
    strangers: { refused: (event) => log.append(event) },
    secretHash,
    seal,
    refusedMethods: new Map([['prod', new Set(['api_key'])]]),
    maximumAge: maximumAgeOf(new Map()),
    ownerAcceptance: ownerAcceptance('auto'),
    approvalValidity: 3 * day,
    expiringWithin: 14 * day,
    rollbackWindow: 7 * day,
    clock,
    random,
    tokenReasons: REFUSALS,
    accessPolicy: () => ({ ok: true, lifetime: 600 }),
    testAssertion: () => Promise.reject(new Error('the token wing is not here')),
    fetchFault: (url) =>
      urlFault({ allow: { hosts: new Set(), blocks: new BlockList() }, plainLoopback: false }, url),
    leakAction: 'suspend-credential',
    post: () => Promise.reject(new Error('nothing is sent here')),
    report: (error) => bugs.push(error),
    mtlsBase: undefined,
    clientCertificates: false,
    ...given,
  };
  const digest = (secret: string): string => secretHash.digest(secret);
  const made = await ensureAdmin({ ...deps, resource: RESOURCE, digest });
  const routes = createAdminRoutes(deps);
  let requests = 0;

  async function tokenFor(clientId: string, claims: Record<string, unknown> = {}): Promise<string> {
    const identity = await storage.identities.byClientId(clientId);
    if (identity === undefined) throw new Error(`no identity ${clientId}`);
    const [credential] = (await storage.credentials.ofIdentity(identity.id)).filter(
      (each) => each.state === 'active',
    );
    const server = await storage.resourceServers.byIdentifier(RESOURCE);
    const access = (await storage.access.activeOfIdentity(identity.id)).find(
      (each) => each.resourceServerId === server?.id,
    );
    const iat = Math.floor(now / 1000);
    const payload = {
      iss: ISSUER,
      sub: clientId,
      client_id: clientId,
      aud: RESOURCE,
      scope: access?.scopes.join(' '),
      iat,
      exp: iat + 600,
      jti: newId('evt', random),
      crd: credential?.id,
      acs: access?.id,
      ...claims,
    };
    return await keystore.sign('ES256', 'at+jwt', JSON.stringify(payload));
  }

  async function personToken(
    handle: string,
    roles: readonly Role[],
    { teams = [], claims = {} }: PersonToken = {},
  ): Promise<string> {
    const iat = Math.floor(now / 1000);
    const payload = {
      iss: ISSUER,
      client_id: 'countersign-cli',
      aud: RESOURCE,
      scope: scopesOfRoles(roles).join(' '),
      iat,
      exp: iat + 3600,
      jti: newId('evt', random),
      ...personClaims({
        issuer: PEOPLE.issuer,
        subject: `sub-${handle}`,
        handle,
        signedInAt: now,
        trustedIssuer: PEOPLE.id,
        roles,
        teams,
      }),
      ...claims,
    };
    return await keystore.sign('ES256', 'at+jwt', JSON.stringify(payload));
  }

  async function call(method: string, target: string, ask: Ask = {}): Promise<Answer> {
    const [path = '', query = ''] = target.split('?', 2);
    const { route, params } = findRoute(routes, method, path);
    const token = ask.token === undefined ? await tokenFor('admin') : ask.token;
    const headers: (readonly [string, string])[] = [];
    if (token !== null) headers.push(['Authorization', `Bearer ${token}`]);
    const given = Array.isArray(ask.headers) ? ask.headers : Object.entries(ask.headers ?? {});
    const typed = given.some(([name]) => name.toLowerCase() === 'content-type');
    if (ask.body !== undefined && !typed) headers.push(['Content-Type', 'application/json']);
    headers.push(...(given as [string, string][]));
    requests++;
    const request: HttpRequest = {
      method,
      path,
      query,
      rawHeaders: headers.flat(),
      clientCertificate: ask.certificate && { chain: [ask.certificate], source: 'tls' },
      body: bytesOf(ask.body),
      id: `req_${String(requests).padStart(20, '0')}`,
      source: '127.0.0.1',
    };
    const answer = await route.endpoint(request, params);
    await Promise.all(reloads.splice(0));
    const text = typeof answer.body === 'string' ? answer.body : Buffer.from(answer.body).toString();
    return {
      status: answer.status,
      headers: answer.headers,
      body: answer.headers['content-type']?.includes('json') ? JSON.parse(text) : undefined,
      text,
      requestId: request.id,
    };
  }

  return {
    deps,
    storage,
    changes,
    ledger,
    followers,
    keystore,
    log,
    clock,
    bugs,
    admin: { clientId: made.clientId, secret: made.secret as string },
    tokenFor,
    personToken,
    call,
    close: () => storage.close(),
  };
}

function bytesOf(body: unknown): Uint8Array {
  if (body === undefined) return new Uint8Array(0);
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** The least that makes an identity. */
export function identityBody(name: string, change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name,
    kind: 'service',
    environment: 'test',
    purpose: 'is tested',
    owner: { person: 'ada', backup: 'bea', team: 'core' },
    expires_at: new Date(START + 30 * 86_400_000).toISOString(),
    ...change,
  };
}

export function resourceServerBody(identifier: string, scopes: readonly string[]): Record<string, unknown> {
  return { identifier, name: 'An API', scopes: scopes.map((name) => ({ name, description: `may ${name}` })) };
}

export function accessBody(
  identity: string,
  resourceServer: string,
  scopes: readonly string[],
  change: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    identity,
    resource_server: resourceServer,
    scopes,
    justification: 'is needed',
    expires_at: new Date(START + 20 * 86_400_000).toISOString(),
    ...change,
  };
}

/** An identity with a credential and access to these scopes of the admin API, as automation has it. */
export async function operator(
  authority: Authority,
  clientId: string,
  scopes: readonly string[],
): Promise<string> {
  await authority.call('POST', '/v1/identities', { body: identityBody(clientId, { client_id: clientId }) });
  await authority.call('POST', `/v1/identities/${clientId}/credentials`, { body: { type: 'client_secret' } });
  await authority.call('POST', '/v1/access', { body: accessBody(clientId, RESOURCE, scopes) });
  return await authority.tokenFor(clientId);
}
