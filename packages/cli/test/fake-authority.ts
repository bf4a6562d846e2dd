import { NOW, runCli, type FakeHostOptions, type Ran } from './fake-host.ts';

export const ISSUER = 'https://authority.example';

export const METADATA = {
  issuer: ISSUER,
  token_endpoint: `${ISSUER}/oauth/token`,
  jwks_uri: `${ISSUER}/oauth/jwks`,
  token_endpoint_auth_methods_supported: ['client_secret_basic'],
} as const;

export interface Asked {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What one route answers: JSON with 200, or a whole response. */
export type Reply = object | ((asked: Asked) => object | Response);

export interface FakeAuthority {
  readonly fetch: typeof fetch;
  /** Requests of the admin API, in order. */
  readonly asked: Asked[];
}

/** An authority that answers from a table of `METHOD /path` (without the query). */
export function fakeAuthority(routes: Readonly<Record<string, Reply>> = {}): FakeAuthority {
  const asked: Asked[] = [];
  const all: Readonly<Record<string, Reply>> = {
    'GET /.well-known/oauth-authorization-server': METADATA,
    'POST /oauth/token': {
      access_token: 'at-1',
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'identities:read',
    },
    ...routes,
  };
  return {
    asked,
    async fetch(input, init) {
      const request = new Request(input, init);
      const url = new URL(request.url);
      const seen: Asked = {
        method: request.method,
        path: url.pathname + url.search,
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
      };
      if (url.pathname.startsWith('/v1') || url.pathname.startsWith('/audit')) asked.push(seen);
      const reply = all[`${request.method} ${decodeURIComponent(url.pathname)}`];
      if (reply === undefined) return problem('not_found', 404);
      const answer = typeof reply === 'function' ? reply(seen) : reply;
      return answer instanceof Response ? answer : json(answer);
    },
  };
}

export function json(
  body: object,
  init: { status?: number; headers?: Record<string, string> } = {},
): Response {
  const headers = { 'content-type': 'application/json', etag: '"3"', 'request-id': 'req_fake', date: DATE };
  return Response.json(body, { ...init, headers: { ...headers, ...init.headers } });
}

const DATE = new Date(NOW).toUTCString();

/** A problem document of the admin API. */
export function problem(code: string, status: number, more: object = {}): Response {
  const body = { type: `https://countersign.dev/problems/${code}`, code, title: 'No.', status, ...more };
  return json(body, {
    status,
    headers: { 'content-type': 'application/problem+json', 'request-id': 'req_refused' },
  });
}

/** Runs a command line against the authority, as its admin. */
export function runAgainst(
  authority: FakeAuthority,
  args: readonly string[],
  options: FakeHostOptions = {},
): Promise<Ran> {
  return runCli(args, {
    ...options,
    fetch: authority.fetch,
    env: {
      COUNTERSIGN_ISSUER: ISSUER,
      COUNTERSIGN_CLIENT_ID: 'admin',
      COUNTERSIGN_CLIENT_SECRET: 'csk_fake',
      ...options.env,
    },
  });
}
