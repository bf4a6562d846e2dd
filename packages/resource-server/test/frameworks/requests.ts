// The same requests for every framework, and the one right answer to each: RFC 6750 §2, §3, RFC 9449 §7, RFC 9728 §3.
import { expect } from 'vitest';
import { AUDIENCE } from '../tiny-issuer.ts';
import { newHolder, proofFor } from '../holder.ts';
import { METADATA_PATH, NOW, type World } from './world.ts';

export interface Ask {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly method?: string;
  /** Default: the guarded resource. */
  readonly path?: string;
}

export interface Reply {
  readonly status: number;
  readonly challenge: string | undefined;
  readonly nonce: string | undefined;
  /** The registered code in the body. */
  readonly error: string | undefined;
  /** Who the handler was told it is. */
  readonly caller: string | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

/** One framework with the guarded resource in it. */
export interface Served {
  ask(ask: Ask): Promise<Reply>;
  /** What a proof is for that comes with a request for the guarded resource. */
  readonly target: { readonly method: string; readonly url: string };
  /** The guarded resource. */
  readonly path: string;
}

export interface Case {
  readonly name: string;
  /** Not all transports can carry it. */
  readonly only?: 'http';
  run(served: Served, world: World): Promise<Reply>;
  readonly expected: Partial<Reply> | ((world: World) => Partial<Reply>);
}

const METADATA = `resource_metadata="${AUDIENCE}${METADATA_PATH}"`;
const ALGS = 'algs="ES256 ES384 PS256 EdDSA Ed25519"';
const INVALID_TOKEN = {
  status: 401,
  error: 'invalid_token',
  challenge: `Bearer error="invalid_token", ${METADATA}`,
};
const INVALID_REQUEST = {
  status: 400,
  error: 'invalid_request',
  challenge: `Bearer error="invalid_request", ${METADATA}`,
};
const NOTHING = { status: 401, error: undefined, challenge: `Bearer ${METADATA}` };
const PASSED = { status: 200, caller: 'payments', challenge: undefined };

type Headers = (world: World) => readonly string[];

/** Sends `Authorization` headers. */
function bearing(
  name: string,
  values: Headers,
  expected: Case['expected'],
  more: Partial<Ask> & Pick<Case, 'only'> = {},
): Case {
  const { only, ...ask } = more;
  return {
    name,
    ...(only === undefined ? {} : { only }),
    expected,
    run: (served, world) =>
      served.ask({ headers: values(world).map((value) => ['Authorization', value] as const), ...ask }),
  };
}

function keyed(name: string, headers: (world: World) => Ask['headers'], expected: Partial<Reply>): Case {
  return { name, expected, run: (served, world) => served.ask({ headers: headers(world) }) };
}

/** A token bound to a key, and what its holder shows with it. */
function bound(
  name: string,
  expected: Partial<Reply>,
  run: (shows: (change?: object) => Promise<Reply>) => Promise<Reply>,
): Case {
  return {
    name,
    expected,
    run: (served, { tiny }) => {
      const holder = newHolder();
      const token = tiny.token({ cnf: { jkt: holder.jkt } });
      const { method, url } = served.target;
      return run((change = {}) => {
        const proof = proofFor(holder, { url, token, iat: NOW }, { htm: method, ...change });
        return served.ask({
          headers: [
            ['Authorization', `DPoP ${token}`],
            ['DPoP', proof],
          ],
        });
      });
    },
  };
}

export const CASES: readonly Case[] = [
  bearing('a good token', ({ tiny }) => [`Bearer ${tiny.token()}`], PASSED),
  bearing('the scheme in lower case', ({ tiny }) => [`bearer ${tiny.token()}`], PASSED),
  bearing('no token', () => [], NOTHING),
  bearing('another scheme', () => ['Basic YTpi'], NOTHING),
  bearing('a scheme without a token', () => ['Bearer'], INVALID_REQUEST),
  bearing('two words', () => ['Bearer a b'], INVALID_REQUEST),
  bearing(
    'two Authorization headers',
    ({ tiny }) => [`Bearer ${tiny.token()}`, `Bearer ${tiny.token()}`],
    INVALID_REQUEST,
    { only: 'http' },
  ),
  bearing(
    'two of different schemes',
    ({ tiny }) => ['Basic YTpi', `Bearer ${tiny.token()}`],
    INVALID_REQUEST,
    { only: 'http' },
  ),
  {
    name: 'a token in the query',
    only: 'http',
    expected: NOTHING,
    run: (served, { tiny }) =>
      served.ask({ headers: [], path: `${served.path}?access_token=${tiny.token()}` }),
  },
  bearing('junk', () => ['Bearer junk.junk.junk'], INVALID_TOKEN),
  bearing('a token for another API', ({ tiny }) => [`Bearer ${tiny.token({ aud: 'urn:x' })}`], INVALID_TOKEN),
  bearing(
    'a token that has expired',
    ({ tiny }) => [`Bearer ${tiny.token({ iat: NOW - 700, exp: NOW - 60 })}`],
    INVALID_TOKEN,
  ),
  bearing(
    'a token that was cut off',
    ({ tiny }) => [`Bearer ${tiny.token({ crd: 'crd_cut' })}`],
    INVALID_TOKEN,
  ),
  bearing('a token of 20,000 characters', () => [`Bearer ${'x'.repeat(20_000)}.y.z`], INVALID_TOKEN),
  bearing('a token without the scope', ({ tiny }) => [`Bearer ${tiny.token({ scope: 'fraud:list' })}`], {
    status: 403,
    error: 'insufficient_scope',
    challenge: `Bearer error="insufficient_scope", scope="fraud:read", ${METADATA}`,
  }),
  bearing(
    'a token bound to a key, as bearer',
    ({ tiny }) => [`Bearer ${tiny.token({ cnf: { jkt: newHolder().jkt } })}`],
    { status: 401, error: 'invalid_token', challenge: `DPoP error="invalid_token", ${ALGS}, ${METADATA}` },
  ),
  bearing(
    'a token bound to a certificate that is not shown',
    ({ tiny }) => [`Bearer ${tiny.token({ cnf: { 'x5t#S256': 'A'.repeat(43) } })}`],
    INVALID_TOKEN,
  ),
  bearing('an unbound token with the DPoP scheme', ({ tiny }) => [`DPoP ${tiny.token()}`], {
    status: 401,
    error: 'invalid_token',
    challenge: `DPoP error="invalid_token", ${ALGS}, ${METADATA}`,
  }),
  bound(
    'a proof without a nonce',
    { status: 401, error: 'use_dpop_nonce', challenge: `DPoP error="use_dpop_nonce", ${ALGS}, ${METADATA}` },
    (shows) => shows(),
  ),
  bound('a bound token with its proof', { ...PASSED, nonce: expect.any(String) }, async (shows) =>
    shows({ nonce: (await shows()).nonce }),
  ),
  bound(
    'a proof that was used before',
    {
      status: 401,
      error: 'invalid_dpop_proof',
      challenge: `DPoP error="invalid_dpop_proof", ${ALGS}, ${METADATA}`,
    },
    async (shows) => {
      const again = { nonce: (await shows()).nonce, jti: crypto.randomUUID() };
      await shows(again);
      return shows(again);
    },
  ),
  bearing('an opaque token', ({ opaque }) => [`Bearer ${opaque}`], PASSED),
  bearing('an opaque token that the authority does not know', () => ['Bearer cot_other'], INVALID_TOKEN),
  keyed('an API key in X-API-Key', ({ apiKey }) => [['X-API-Key', apiKey]], PASSED),
  keyed('an API key as bearer', ({ apiKey }) => [['Authorization', `Bearer ${apiKey}`]], PASSED),
  keyed('an unknown API key', ({ unknownApiKey }) => [['X-API-Key', unknownApiKey]], INVALID_TOKEN),
  keyed(
    'an API key beside a token',
    ({ apiKey, tiny }) => [
      ['X-API-Key', apiKey],
      ['Authorization', `Bearer ${tiny.token()}`],
    ],
    INVALID_REQUEST,
  ),
  bearing(
    'HEAD with a good token',
    ({ tiny }) => [`Bearer ${tiny.token()}`],
    { status: 200, body: '' },
    { method: 'HEAD', only: 'http' },
  ),
  bearing(
    'HEAD without a token',
    () => [],
    { status: 401, challenge: NOTHING.challenge, body: '' },
    { method: 'HEAD', only: 'http' },
  ),
  bearing('OPTIONS without a token', () => [], NOTHING, { method: 'OPTIONS', only: 'http' }),
  bearing(
    'a request for the metadata',
    () => [],
    ({ tiny }) => ({
      status: 200,
      type: expect.stringContaining('application/json'),
      body: JSON.stringify({
        resource: AUDIENCE,
        authorization_servers: [tiny.issuer],
        scopes_supported: ['fraud:read', 'fraud:write'],
        bearer_methods_supported: ['header'],
        dpop_signing_alg_values_supported: ['ES256', 'ES384', 'PS256', 'EdDSA', 'Ed25519'],
        dpop_bound_access_tokens_required: false,
        resource_name: 'Fraud',
      }),
    }),
    { path: METADATA_PATH, only: 'http' },
  ),
];
