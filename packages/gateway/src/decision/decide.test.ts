import type { AccessTokenClaims } from '@countersign/protocol';
import type { Refusal, Verified, VerifyResult } from '@countersign/resource-server';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../config/read-config.ts';
import { routeTable } from '../rules/route-table.ts';
import { createDecide, type DecideDeps } from './decide.ts';
import type { EdgeRequest } from './edge-request.ts';
import { identityHeaders } from './identity.ts';

const config = readConfig(
  'gateway.yaml',
  `issuer: https://authority.example
listen: {auth: '127.0.0.1:0'}
resources: {orders: {audience: 'https://orders.example'}}
routes:
  - {host: a.example, path: /open, public: true}
  - {host: a.example, path: /closed, deny: true}
  - {host: a.example, path: '/orders/{id}', methods: [GET], resource: orders, scope: [read, more]}
`,
);
const claims = {
  iss: 'https://authority.example',
  sub: 'for:é%',
  client_id: 'payments',
  aud: ['https://orders.example'],
  scope: ['read', 'more'],
  jti: 'j1',
  exp: 2,
  iat: 1,
} as unknown as AccessTokenClaims;

/** A verifier that takes the token `good`, and remembers what it was asked. */
function verifierThatTakes(asked: unknown[]): DecideDeps['verifiers'] {
  const refusal = (reason: string): Refusal =>
    ({
      ok: false,
      status: 401,
      error: undefined,
      reason,
      detail: undefined,
      headers: { 'WWW-Authenticate': 'Bearer' },
    }) as Refusal;
  return new Map([
    [
      'orders',
      {
        verify: (token, request): Promise<VerifyResult> => {
          asked.push({ token, scope: request?.scope, url: request?.url, certificate: request?.certificate });
          if (token !== 'good') return Promise.resolve(refusal('bad_signature'));
          const verified: Verified = {
            ok: true,
            claims,
            scopes: claims.scope,
            headers: { 'DPoP-Nonce': 'n' },
          };
          return Promise.resolve(verified);
        },
        watch: () => Promise.reject(new Error('not a stream')),
        refuse: refusal,
        certificateOf: () => undefined,
        takesApiKeys: false,
      },
    ],
  ]);
}

function decideWith(asked: unknown[] = [], limits = config.limits) {
  return createDecide({
    routes: routeTable(config.routes),
    verifiers: verifierThatTakes(asked),
    identity: identityHeaders(config.identityHeaders),
    limits,
  });
}

const request = (change: Partial<EdgeRequest> = {}): EdgeRequest => ({
  method: 'GET',
  target: '/orders/7?x=y',
  hosts: ['a.example'],
  rawHeaders: ['Authorization', 'Bearer good'],
  socket: undefined,
  ...change,
});
const reasonOf = async (change: Partial<EdgeRequest>): Promise<string> => {
  const decision = await decideWith()(request(change));
  return decision.allowed ? 'allowed' : `${decision.status} ${decision.reason}`;
};

describe('a request', () => {
  it('with a token that holds goes on, with what the application is told', async () => {
    const asked: unknown[] = [];
    expect(await decideWith(asked)(request())).toMatchObject({
      allowed: true,
      route: { name: 'routes[2]' },
      headers: { 'DPoP-Nonce': 'n' },
      identity: [
        ['Countersign-Client-Id', 'payments'],
        ['Countersign-Subject', 'for:%C3%A9%25'],
        ['Countersign-Scope', 'read more'],
        ['Countersign-Token-Id', 'j1'],
      ],
    });
    expect(asked).toMatchObject([{ token: 'good', scope: ['read', 'more'] }]);
  });

  it('shows the certificate that who hands it over names', async () => {
    const asked: unknown[] = [];
    await decideWith(asked)(request({ certificate: new Uint8Array([1]) }));
    expect(asked).toMatchObject([{ certificate: new Uint8Array([1]) }]);
  });

  it('on a public rule goes on with empty headers, whatever token it has', async () => {
    const decision = await decideWith()(request({ target: '/open' }));
    expect(decision.allowed && decision.identity.map(([, value]) => value)).toEqual(['', '', '', '']);
  });

  it.each<[string, Partial<EdgeRequest>]>([
    ['401 no_token', { rawHeaders: [] }],
    ['401 bad_signature', { rawHeaders: ['Authorization', 'Bearer bad'] }],
    ['403 no_route', { target: '/other' }],
    ['403 no_route', { hosts: ['b.example'] }],
    ['403 no_route', { method: 'POST' }],
    ['403 route_denies', { target: '/closed' }],
    ['400 path_ambiguous_case', { target: '/Orders/7', hosts: ['a.example'] }],
    ['400 path_dots', { target: '/orders/../orders/7' }],
    ['400 host_missing', { hosts: [] }],
    ['400 host_missing', { hosts: [''] }],
    ['400 host_repeated', { hosts: ['a.example', 'a.example'] }],
    ['400 host_malformed', { hosts: ['a.example/x'] }],
    ['400 method_malformed', { method: 'GET /x' }],
    ['400 method_malformed', { method: '' }],
    ['400 method_malformed', { method: 'get' }],
    ['400 method_override', { rawHeaders: ['x-http-method-override', 'DELETE'] }],
    ['400 method_override', { rawHeaders: ['X_HTTP_Method_Override', 'DELETE'] }],
    ['400 path_override', { rawHeaders: ['X-Original-URL', '/open'] }],
    ['400 path_override', { rawHeaders: ['x_rewrite_url', ''] }],
    ['400 path_override', { rawHeaders: ['X.Original.URL', '/open'] }],
    ['400 path_override', { rawHeaders: ['SCRIPT_NAME', '/orders'] }],
    ['400 path_override', { rawHeaders: ['Script-Name', '/orders'] }],
    ['400 path_override', { rawHeaders: ['PATH_INFO', '/closed'] }],
    ['400 path_override', { rawHeaders: ['X-Script-Name', '/orders'] }],
    ['400 connection_names_identity', { rawHeaders: ['Connection', 'close, countersign_client-id'] }],
    ['400 connection_names_identity', { rawHeaders: ['connection', 'Authorization'] }],
    ['431 headers_too_large', { rawHeaders: ['a', 'x'.repeat(16_384)] }],
    ['431 headers_too_large', { rawHeaders: Array.from({ length: 202 }, () => 'a') }],
  ])('is refused: %s', async (reason, change) => {
    const expected = reason.includes('ambiguous_case') ? '403 no_route' : reason;
    expect(await reasonOf(change)).toBe(expected);
  });

  it('may name the method that it has', async () => {
    const rawHeaders = ['Authorization', 'Bearer good', 'X-HTTP-Method-Override', 'GET'];
    expect(await reasonOf({ rawHeaders })).toBe('allowed');
  });

  it('is told a registered code or none, and nothing of the reason', async () => {
    for (const change of [{ target: '//' }, { target: '/closed' }, { hosts: [] }] as Partial<EdgeRequest>[]) {
      const decision = await decideWith()(request(change));
      expect(decision.allowed || [decision.body, decision.headers]).toEqual([
        decision.allowed || decision.status === 403 ? '{}' : '{"error":"invalid_request"}',
        { 'Cache-Control': 'no-store', 'Content-Type': 'application/json' },
      ]);
    }
  });
});

describe('identity headers', () => {
  const all = identityHeaders(
    new Map([
      ['claims', 'X-Claims'],
      ['aud', 'X-Aud'],
      ['act', 'X-Act'],
      ['exp', 'X-Exp'],
    ]),
  );

  it('hold numbers, lists and whole objects', () => {
    const acting = { ...claims, act: { sub: 'a b' } } as AccessTokenClaims;
    const [[, whole], ...rest] = all.of(acting) as [
      readonly [string, string],
      ...(readonly [string, string])[],
    ];
    expect(JSON.parse(Buffer.from(whole, 'base64url').toString('utf8'))).toEqual({
      ...acting,
      scope: 'read more',
    });
    expect(rest).toEqual([
      ['X-Aud', 'https://orders.example'],
      ['X-Act', '{"sub":"a%20b"}'],
      ['X-Exp', '2'],
    ]);
    expect(all.of(claims)[2]).toEqual(['X-Act', '']);
  });

  it('are known in every spelling', () => {
    expect(['x-claims', 'X_Claims', 'X-CLAIMS', 'x_claims'].map((name) => all.owns(name))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['x-claims', 'X_Claims', 'X-CLAIMS', 'x-other'].map((name) => all.imitates(name))).toEqual([
      false,
      true,
      false,
      false,
    ]);
    expect(all.owns('countersign-client-id')).toBe(false);
  });
});
