import { createClaimCodes } from '../src/registry/claim/find-code.ts';
import { createRevocationLists } from '../src/ca/revocation-lists.ts';
import { openIssuing } from './issuing.ts';
import { formatBasicCredentials, generateSecret } from '@countersign/protocol';
import type { AuditEvent } from '../src/audit/event.ts';
import type { Voucher } from '../src/audit/stranger-budget.ts';
import { AuditUnavailable } from '../src/audit/sink.ts';
import { createChanges } from '../src/audit/change.ts';
import { createCutoffFollowers } from '../src/cutoff/followers.ts';
import { createStatusLists } from '../src/cutoff/status-list.ts';
import { createCutoffLedger } from '../src/cutoff/ledger.ts';
import { openMemoryStorage } from './memory-storage.ts';
import type { HttpRequest } from '../src/http/request.ts';
import type { HttpResponse } from '../src/http/response.ts';
import type { Route } from '../src/http/route.ts';
import { pooledRandom } from '../src/ids.ts';
import { rotate } from '../src/keys/rotation.ts';
import { createSeal } from '../src/keys/seal.ts';
import { createSigningKeystore, type SigningKeystore } from '../src/keys/signing-keystore.ts';
import {
  createOAuthRoutes,
  createTrustBundles,
  type IssuanceCounters,
  type OAuthDeps,
} from '../src/oauth/compose.ts';
import { OutboundRefusal } from '../src/outbound/outbound-refusal.ts';
import type { SenderConstraint } from '../src/oauth/sender-constraint/constraint.ts';
import { createFactsCache } from '../src/registry/facts-cache.ts';
import { createOwnBundle } from '../src/ca/own-bundle.ts';
import { createIssuancePace } from '../src/registry/issuance-pace.ts';
import { knownResourceServers } from '../src/registry/known-resource-servers.ts';
import { createSecretHash } from '../src/registry/secret-hash.ts';
import { localSigner } from '../src/signers/local.ts';
import type { AccessRecord } from '../src/storage/access.ts';
import type { CredentialRecord } from '../src/storage/credentials.ts';
import {
  accessRecord,
  changed,
  credentialRecord,
  identityRecord,
  resourceServerRecord,
  T0,
} from '../src/storage/contract/records.ts';
import type { IdentityRecord } from '../src/storage/identities.ts';
import type { ResourceServerRecord } from '../src/storage/resource-servers.ts';
import type { Storage, Stores } from '../src/storage/storage.ts';

export const ISSUER = 'https://authority.test';
export const FRAUD = 'https://fraud.test';
/** The instant at which a scene begins: some milliseconds into a second. */
export const NOW = T0 + 500_250;

/** The token wing on an in-memory database, with one client that may read and write at one API. */
interface Stranger {
  readonly event: AuditEvent;
  readonly claimed: string | undefined;
  readonly voucher?: Voucher;
}

export interface TokenScene {
  readonly deps: OAuthDeps;
  readonly routes: readonly Route[];
  readonly storage: Storage;
  readonly clock: { now(): number; set(ms: number): void };
  readonly counters: IssuanceCounters;
  readonly bugs: unknown[];
  /** What the log took, and how it treats what comes next. */
  /** Ids of credentials that were noted as used. */
  readonly used: string[];
  readonly log: { readonly events: AuditEvent[]; mode: 'takes' | 'refuses' | 'never answers' };
  /** Refusals of strangers, as the budget was told of them. */
  readonly strangers: Stranger[];
  /** Keys of JWT-SVIDs of this deployment. */
  readonly svidKeystore: SigningKeystore;
  readonly secret: string;
  readonly identity: IdentityRecord;
  readonly credential: CredentialRecord;
  readonly server: ResourceServerRecord;
  readonly access: AccessRecord;
  /** Calls a route by its path as the edge would. */
  call(path: string, request?: Partial<HttpRequest>): Promise<HttpResponse>;
  /** Asks for a token as the client does, with more parameters in the body. */
  ask(more?: string, change?: Ask): Promise<HttpResponse>;
  /** Introspects or revokes a token as the client does, or as another. */
  about(path: string, token: string, authorization?: string): Promise<HttpResponse>;
  close(): Promise<void>;
}

export interface Ask {
  /** Instead of the client's own; null for none. */
  readonly authorization?: string | null;
  readonly contentType?: string | null;
  /** Instead of `grant_type=client_credentials` and what comes more. */
  readonly body?: string | Uint8Array;
  readonly query?: string;
  readonly headers?: readonly string[];
  /** What the edge says of the request beside that, such as the certificate of its connection. */
  readonly request?: Partial<HttpRequest>;
}

export async function openTokenScene(
  change: Partial<OAuthDeps> = {},
  constraints?: readonly SenderConstraint[],
  openStorage?: () => Promise<Storage>,
): Promise<TokenScene> {
  let now = NOW;
  const clock = { now: () => now, set: (ms: number) => void (now = ms) };
  const random = pooledRandom();
  const storage = (await openStorage?.()) ?? (await openMemoryStorage(clock));
  const secretHash = createSecretHash(new Uint8Array(32).fill(9));
  const { secret } = generateSecret('csk', random);
  const identity = identityRecord({ clientId: 'payments' });
  const credential = credentialRecord(identity.id, {
    material: { type: 'client_secret', publicId: 'x', digest: secretHash.digest(secret) },
  });
  const server = resourceServerRecord({ identifier: FRAUD });
  const access = accessRecord(identity.id, server.id, { scopes: ['fraud:read', 'fraud:write'] });
  await storage.identities.insert(identity);
  await storage.credentials.insert(credential);
  await storage.resourceServers.insert(server);
  await storage.access.insert(access);

  const signer = localSigner(createSeal(new Uint8Array(32).fill(7), random));
  const schedule = { period: 1e9, lead: 1e6, retention: 1e6 };
  for (const alg of ['ES256', 'HS256'] as const) {
    await storage.transaction((stores) =>
      rotate({ signer, clock, random, schedule }, stores, alg, 'due', () => undefined),
    );
  }
  const keystore = await createSigningKeystore({ keys: storage.signingKeys, signer, clock });
  const svidStores = (stores: Stores) => ({ ...stores, signingKeys: stores.svidKeys });
  await storage.transaction((stores) =>
    rotate({ signer, clock, random, schedule }, svidStores(stores), 'ES256', 'due', () => undefined),
  );
  const svidKeystore = await createSigningKeystore({ keys: storage.svidKeys, signer, clock });
  const issuing = await openIssuing(storage, { signer, clock, random });
  const counters: IssuanceCounters = { tokensIssued: 0, refusals: new Map() };
  const bugs: unknown[] = [];
  const used: string[] = [];
  const strangers: Stranger[] = [];
  const log: TokenScene['log'] = { events: [], mode: 'takes' };
  const facts = createFactsCache({ storage, capacity: 100 });
  const ledger = createCutoffLedger({ storage, clock });
  const followers = createCutoffFollowers({ ledger, store: storage.cutoffReceipts, clock });
  const appending: OAuthDeps['log'] = {
    append(event) {
      if (log.mode === 'refuses') return Promise.reject(new AuditUnavailable('full'));
      if (log.mode === 'never answers') return new Promise(() => undefined);
      log.events.push(event);
      return Promise.resolve();
    },
  };
  const deps: OAuthDeps = {
    ...issuing,
    claimCodes: createClaimCodes({ storage, secretHash }),
    bundles: createTrustBundles({
      ...issuing,
      trustDomains: storage.trustDomains,
      jwks: () => svidKeystore.jwks(),
      trust: () => issuing.ca.trust(),
      fetch: () => Promise.reject(new OutboundRefusal('connection_failed', '?')),
      clock,
    }),
    ownBundle: createOwnBundle({ ...issuing, storage, svidKeystore, clock, refreshHint: 300 }),
    revocationLists: createRevocationLists({ storage, ca: issuing.ca, clock }),
    issuer: ISSUER,
    adminResource: `${ISSUER}/v1`,
    mtlsBase: undefined,
    storage,
    usedOnce: storage.usedOnce,
    followers,
    resourceServers: knownResourceServers(storage),
    statusLists: createStatusLists({ storage, keystore, clock, issuer: ISSUER }),
    jwks: {
      find: () => Promise.reject(new OutboundRefusal('connection_failed', '?')),
      slowestMs: 0,
    },
    jwksMaxAge: 300,
    lifetimes: { default: 600, maximum: 3600 },
    refusedMethods: new Map([['prod', new Set(['api_key'])]]),
    keystore,
    people: { trustedIssuers: storage.trustedIssuers },
    scopesOfRoles: (roles) => roles,
    facts,
    secretHash,
    clock,
    random,
    node: 'n1',
    counters,
    pace: createIssuancePace(NOW),
    uses: { issued: (credential) => used.push(credential) },
    report: (error) => bugs.push(error),
    feed: { read: async () => 'a.b.c' },
    maximumAge: () => 90 * 86_400_000,
    fetchFault: () => undefined,
    rotationOverlap: 30 * 86_400_000,
    selfRotation: true,
    changes: createChanges({ storage, log: appending, clock, random, node: 'n1' }),
    ledger,
    log: appending,
    strangers: {
      refused: async (event, claimed, _arrivedAt, voucher) =>
        void strangers.push({ event, claimed, ...(voucher === undefined ? {} : { voucher }) }),
      summarise: async () => undefined,
      close: () => undefined,
    },
    ...change,
  };
  const routes = createOAuthRoutes(deps, constraints);
  let requests = 0;

  function call(path: string, request: Partial<HttpRequest> = {}): Promise<HttpResponse> {
    const route = routes.find((each) => each.path === path);
    if (route === undefined) throw new Error(`no route ${path}`);
    requests++;
    return route.endpoint(
      {
        method: route.method,
        path,
        query: '',
        rawHeaders: [],
        body: new Uint8Array(0),
        id: `req_${requests}`,
        source: '192.0.2.7',
        ...request,
      },
      {},
    );
  }

  return {
    deps,
    routes,
    storage,
    clock,
    counters,
    bugs,
    used,
    log,
    strangers,
    svidKeystore,
    secret,
    identity,
    credential,
    server,
    access,
    call,
    ask(more = '', ask = {}) {
      const { authorization = formatBasicCredentials('payments', secret), contentType, query = '' } = ask;
      const type = contentType === undefined ? 'application/x-www-form-urlencoded' : contentType;
      const body = ask.body ?? `grant_type=client_credentials${more === '' ? '' : `&${more}`}`;
      return call('/oauth/token', {
        query,
        body: typeof body === 'string' ? Buffer.from(body, 'utf8') : body,
        rawHeaders: [
          ...(authorization === null ? [] : ['Authorization', authorization]),
          ...(type === null ? [] : ['Content-Type', type]),
          ...(ask.headers ?? []),
        ],
        ...ask.request,
      });
    },
    about(path, token, authorization = formatBasicCredentials('payments', secret)) {
      return call(path, {
        body: Buffer.from(new URLSearchParams({ token }).toString()),
        rawHeaders: ['Authorization', authorization, 'Content-Type', 'application/x-www-form-urlencoded'],
      });
    },
    async close() {
      facts.close();
      ledger.close();
      await storage.close();
    },
  };
}

/** Gives the client an API key as well, with these limits. */
export async function addApiKey(
  scene: Pick<TokenScene, 'deps' | 'storage' | 'identity'>,
  limit: { readonly resourceServerId?: string; readonly scopes?: readonly string[] } = {},
  change: Partial<CredentialRecord> = {},
): Promise<string> {
  const { secret, publicId } = generateSecret('cak', scene.deps.random);
  const digest = scene.deps.secretHash.digest(secret);
  const material = { type: 'api_key', publicId, digest, ...limit } as const;
  await scene.storage.credentials.insert(credentialRecord(scene.identity.id, { material, ...change }));
  return secret;
}

export { changed };

/** The answer's JSON. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
export function jsonOf(answer: HttpResponse): any {
  return JSON.parse(String(answer.body));
}
