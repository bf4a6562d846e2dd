// An authority in the process of a test: metadata (RFC 8414), keys (RFC 7517), RFC 9068 tokens, cut-offs, introspection (RFC 7662) and
// API keys, all real, behind a `fetch` that no network is under. On Web Crypto, so it runs wherever the verifier does.
import { generateSecret } from '@countersign/protocol/secret-format';
import { type Issuer, parseIssuer } from '@countersign/protocol/portable';
import type { Introspecting } from '../introspecting.ts';
import { createTestFeed, type TestCutoff } from './feed.ts';
import { newTestKey, type TestKey } from './key.ts';
import { newTestHolder, type TestHolder } from './holder.ts';

export type { TestCutoff } from './feed.ts';
export type { TestHolder } from './holder.ts';

export interface TestIssuerOptions {
  /** Whom its tokens are for; `aud` of a token can say otherwise. */
  readonly audience: string;
  /** Default `https://issuer.test`. */
  readonly issuer?: string;
  /** Epoch seconds. Default: the machine's clock. `advance` comes on top. */
  readonly clock?: () => number;
}

/** Claims to add or change; those that are undefined are left out. `scope` as RFC 6749 §3.3 writes it. */
export type TestClaims = { readonly [claim: string]: unknown };

export interface TestIssuer {
  readonly issuer: string;
  /** For createVerifier: whom to trust, how to reach it, and what time it is. */
  readonly options: {
    readonly issuer: string;
    readonly fetch: typeof globalThis.fetch;
    readonly clock: () => number;
  };
  /** For the option `introspect` of createVerifier. */
  readonly introspect: Introspecting;
  /** A signed access token: of the client `test-client`, without scope, for ten minutes, unless `claims` says otherwise. */
  token(claims?: TestClaims, header?: { readonly [name: string]: unknown }): Promise<string>;
  /** The same as an opaque token, which only `introspect` can read. */
  opaqueToken(claims?: TestClaims): string;
  /** An API key whose tokens have these claims. */
  apiKey(claims?: TestClaims): string;
  /** Somebody with a key, who makes DPoP proofs; `token({ cnf: holder.cnf })` is bound to it. */
  holder(): Promise<TestHolder>;
  /**
   * Orders a cut-off as of now. Resolves when every verifier that follows knows it. Tokens that are issued in the same
   * second are cut off too, as they are everywhere.
   */
  cutOff(what: TestCutoff): Promise<void>;
  /** Ends an opaque token or an API key, which is no cut-off: what a verifier remembers of it may still hold. */
  revoke(tokenOrKey: string): void;
  /** Moves its clock, and that of `options`, by so many seconds. Resolves when every verifier that follows has news of then. */
  advance(seconds: number): Promise<void>;
  /** Signs with a new key from now on; `keep: false` also withdraws the old ones. */
  rotateKeys(options?: { readonly keep?: boolean }): Promise<void>;
  /** While false, every request to it fails. */
  reachable: boolean;
}

const LIFETIME = 600;
const CLIENT = 'test-client';

/** @throws TypeError for an `issuer` that is none (RFC 8414 §2) */
export async function createTestIssuer(options: TestIssuerOptions): Promise<TestIssuer> {
  const issuer = issuerOf(options.issuer ?? 'https://issuer.test');
  let ahead = 0;
  let made = 0;
  let isReachable = true;
  const systemClock = options.clock ?? (() => Math.floor(Date.now() / 1000));
  const clock = (): number => systemClock() + ahead;
  let keys: readonly TestKey[] = [await newTestKey('test-key-1')];
  const signer = (): TestKey => keys.at(-1) as TestKey;
  const opaque = new Map<string, TestClaims>();
  const apiKeys = new Map<string, TestClaims>();
  const feed = createTestFeed({ issuer, clock, sign: (header, claims) => signer().sign(header, claims) });

  function claimsOf(claims: TestClaims): TestClaims {
    const now = clock();
    const client = typeof claims['client_id'] === 'string' ? claims['client_id'] : CLIENT;
    const who = { iss: issuer, sub: client, client_id: client, aud: options.audience };
    return {
      ...who,
      iat: now,
      exp: now + LIFETIME,
      jti: `test-token-${++made}`,
      crd: `crd-${client}`,
      ...claims,
    };
  }

  function token(claims: TestClaims = {}, header: object = {}): Promise<string> {
    return signer().sign({ typ: 'at+jwt', ...header }, claimsOf(claims));
  }

  async function exchange(key: string | null): Promise<Response> {
    const claims = apiKeys.get(key ?? '');
    if (claims === undefined) return Response.json({ error: 'invalid_client' }, { status: 401 });
    return Response.json({ access_token: await token(claims), token_type: 'Bearer', expires_in: LIFETIME });
  }

  const testIssuer: TestIssuer = {
    issuer,
    options: { issuer, clock, fetch: (input, init) => answer(new Request(input, init)) },
    introspect: {
      async introspect(text) {
        connect();
        const claims = opaque.get(text);
        const active = claims !== undefined && Number(claims['exp']) > clock();
        return active ? { active, token_type: 'Bearer', ...claims } : { active: false };
      },
    },
    token,
    opaqueToken(claims = {}) {
      const text = `cot_test_${++made}`;
      opaque.set(text, claimsOf(claims));
      return text;
    },
    apiKey(claims = {}) {
      const { secret } = generateSecret('cak', (size) => crypto.getRandomValues(new Uint8Array(size)));
      apiKeys.set(secret, claims);
      return secret;
    },
    holder: () => newTestHolder(clock),
    cutOff: (what) => feed.order(what),
    revoke(text) {
      opaque.delete(text);
      apiKeys.delete(text);
    },
    async advance(seconds) {
      ahead += seconds;
      await feed.beat();
    },
    async rotateKeys({ keep = true } = {}) {
      const key = await newTestKey(`test-key-${++made}`);
      keys = keep ? [...keys, key] : [key];
    },
    get reachable() {
      return isReachable;
    },
    set reachable(reachable) {
      isReachable = reachable;
      feed.hangUp();
    },
  };

  /** As `fetch` fails where there is no connection. */
  function connect(): void {
    if (!isReachable) throw new TypeError('fetch failed');
  }

  async function answer(request: Request): Promise<Response> {
    connect();
    const response = await answerOf(request);
    connect();
    return response;
  }

  async function answerOf(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const below = pathname.slice(new URL(issuer).pathname.replace(/\/$/, '').length);
    if (pathname.startsWith('/.well-known/oauth-authorization-server')) {
      const endpoints = { token_endpoint: `${issuer}/oauth/token`, jwks_uri: `${issuer}/oauth/jwks` };
      return Response.json({ issuer, ...endpoints });
    }
    if (below === '/oauth/jwks') return Response.json({ keys: keys.map(({ jwk }) => jwk) });
    if (below === '/oauth/cutoffs') return feed.answer(searchParams, request.signal);
    if (below === '/oauth/token') return exchange(request.headers.get('x-api-key'));
    return new Response(null, { status: 404 });
  }

  return testIssuer;
}

function issuerOf(text: string): Issuer {
  const issuer = parseIssuer(text);
  if (issuer === undefined) throw new TypeError('issuer: give an https URL without query');
  return issuer;
}
