// An authority for tests: real keys, real HTTP on loopback, and every answer can be bent.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CutoffEntry,
  type JsonWebKey,
  type SigningKey,
  signJws,
  toPublicJwk,
} from '@countersign/protocol';

export interface TinyIssuer {
  readonly issuer: string;
  /** Requests by path, without query. */
  readonly hits: Map<string, number>;
  /** Signs an access token for `https://fraud.example.com`; members of `change` that are undefined are left out. */
  token(change?: object, header?: object, key?: SigningKey): string;
  addKey(kid: string): SigningKey;
  jwks: { keys: unknown[] };
  metadata: { [name: string]: unknown };
  /** Orders a cut-off and tells who waits. */
  cut(entry: CutoffEntry): void;
  /** Called first for each request; true means that it has answered. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Changes the claims or header of feed pages. */
  bendFeed: { claims: object; header: object; key: SigningKey | undefined; holdMs: number; pageSize: number };
  /** Loses its last orders, as a database that was restored from an older copy. */
  rollBack(orders: number): void;
  close(): Promise<void>;
}

export const AUDIENCE = 'https://fraud.example.com';

export async function startTinyIssuer(clock: () => number): Promise<TinyIssuer> {
  const entries: { cursor: number; entry: CutoffEntry }[] = [];
  const waiting = new Set<() => void>();
  const publicKeys: JsonWebKey[] = [];
  const addKey = (kid: string): SigningKey => {
    const pair: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
    });
    publicKeys.push(toPublicJwk(pair.publicKey, kid, 'ES256'));
    return { kid, alg: 'ES256', keyObject: pair.privateKey };
  };
  const first = addKey('k1');

  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] as string;
    tiny.hits.set(path, (tiny.hits.get(path) ?? 0) + 1);
    if (tiny.intercept(request, response)) return;
    if (path === '/.well-known/oauth-authorization-server') json(response, tiny.metadata);
    else if (path === '/oauth/jwks') json(response, tiny.jwks);
    else if (path === '/oauth/cutoffs') feed(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function feed(request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url ?? '', issuer).searchParams;
    const after = query.get('after');
    const from = Number(after ?? 0) > entries.length ? 0 : Number(after ?? 0);
    const answer = (): void => {
      waiting.delete(answer);
      clearTimeout(timer);
      const claims = {
        iss: issuer,
        iat: clock(),
        exp: clock() + 60,
        from,
        cursor: Math.min(entries.length, from + tiny.bendFeed.pageSize),
        entries: entries.slice(from, from + tiny.bendFeed.pageSize).map(({ entry }) => entry),
        ...tiny.bendFeed.claims,
      };
      const header = { typ: 'cutoffs+jwt', ...tiny.bendFeed.header };
      response.writeHead(200, { 'content-type': 'application/jwt' });
      response.end(signJws(header, JSON.stringify(claims), tiny.bendFeed.key ?? first));
    };
    const timer = setTimeout(
      answer,
      after === null || query.get('wait') === '0' || entries.length > from ? 0 : tiny.bendFeed.holdMs,
    );
    waiting.add(answer);
  }

  const tiny: TinyIssuer = {
    issuer,
    hits: new Map(),
    jwks: { keys: publicKeys },
    metadata: { issuer, token_endpoint: `${issuer}/oauth/token`, jwks_uri: `${issuer}/oauth/jwks` },
    intercept: () => false,
    bendFeed: { claims: {}, header: {}, key: undefined, holdMs: 600, pageSize: 1000 },
    addKey,
    token(change = {}, header = {}, key = first) {
      const claims = {
        iss: issuer,
        sub: 'payments',
        client_id: 'payments',
        aud: AUDIENCE,
        scope: 'fraud:read fraud:list',
        iat: clock(),
        exp: clock() + 600,
        jti: 'jti-1',
        crd: 'crd_1',
        acs: 'acs_1',
        ...change,
      };
      return signJws({ typ: 'at+jwt', ...header }, JSON.stringify(claims), key);
    },
    cut(entry) {
      entries.push({ cursor: entries.length + 1, entry });
      for (const answer of waiting) answer();
    },
    rollBack(orders) {
      entries.splice(entries.length - orders);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return tiny;
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
