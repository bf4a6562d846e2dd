import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  indexCutoffs,
  isCutOff,
  parseAccessTokenClaims,
  parseCompactJws,
  parseCutoffFeed,
} from '@countersign/protocol';
import { compose, type Composition } from '../src/compose.ts';
import { toDeployment } from '../src/config/deployment.ts';
import { loadSettings } from '../src/config/load.ts';
import type { HttpRequest } from '../src/http/request.ts';
import { pooledRandom } from '../src/ids.ts';
import { createLogger } from '../src/telemetry/logger.ts';

/** The whole authority as `countersign dev` composes it, by its endpoints and without a port; its time is in hand. */
export interface WholeAuthority {
  readonly issuer: string;
  now(): number;
  /** Time goes on by so many days, day by day: after each the jobs run, and `daily` is done. */
  travel(days: number, daily?: () => Promise<unknown>): Promise<void>;
  /** The same at once: the jobs run when they are over. To the authority it is as if it had been away. */
  leap(days: number): Promise<void>;
  send(method: string, target: string, ask?: Sent): Promise<Answered>;
  /** Of the token endpoint, with a client secret. */
  token(clientId: string, secret: string, ask?: TokenAsked): Promise<Answered>;
  /** As the first admin; throws on anything but 2xx. */
  admin(method: string, target: string, body?: unknown): Promise<Answered>;
  /** As the first admin; whatever the answer is. */
  tryAdmin(method: string, target: string, body?: unknown): Promise<Answered>;
  /** Whether a verifier that follows the feed takes the token, as far as it can be cut off. */
  isTaken(token: string): Promise<boolean>;
  close(): Promise<void>;
}

export interface Sent {
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly source?: string;
}

export interface TokenAsked {
  readonly resource?: string;
  readonly scope?: string;
  readonly source?: string;
  readonly userAgent?: string;
}

export interface Answered {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers of every shape
  readonly body: any;
  readonly text: string;
}

const ISSUER = 'http://localhost:1';
const DAY = 86_400_000;
const FORM = ['Content-Type', 'application/x-www-form-urlencoded'];

export async function openWholeAuthority(): Promise<WholeAuthority> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-whole-'));
  const flags = { http: true, port: '0', 'data-dir': join(folder, 'data') };
  let ahead = 0;
  let requests = 0;
  const running: Composition = await compose({
    deployment: toDeployment('dev', loadSettings({ mode: 'dev', flags, env: {} })),
    issuer: ISSUER,
    mtlsBase: undefined,
    version: '0.0.0',
    node: 'n1',
    clock: { now: () => Date.now() + ahead },
    random: pooledRandom(),
    logger: createLogger('silent', 'n1'),
    draining: () => false,
  });
  const { secret } = await running.ensureAdmin();
  await running.jobs.start();

  async function send(method: string, target: string, ask: Sent = {}): Promise<Answered> {
    const [path = '', query = ''] = target.split('?', 2);
    for (const route of running.routes) {
      const names = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1] as string);
      const match = new RegExp(`^${route.path.replace(/:\w+/g, '([^/]+)')}$`).exec(path);
      if (route.method !== method || match === null) continue;
      const request: HttpRequest = {
        method,
        path,
        query,
        rawHeaders: [...(ask.headers ?? [])],
        clientCertificate: undefined,
        body: new TextEncoder().encode(ask.body ?? ''),
        id: `req_${String(++requests).padStart(20, '0')}`,
        source: ask.source ?? '127.0.0.1',
      };
      const params = names.map((name, at) => [name, decodeURIComponent(match[at + 1] as string)]);
      const answer = await route.endpoint(request, Object.fromEntries(params));
      const text = typeof answer.body === 'string' ? answer.body : Buffer.from(answer.body).toString();
      return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text, text };
    }
    throw new Error(`no route for ${method} ${path}`);
  }

  async function token(
    clientId: string,
    clientSecret: string,
    { resource, scope, source, userAgent }: TokenAsked = {},
  ): Promise<Answered> {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      ...(resource === undefined ? {} : { resource }),
      ...(scope === undefined ? {} : { scope }),
    });
    const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
    const agent = userAgent === undefined ? [] : ['User-Agent', userAgent];
    const headers = [...FORM, 'Authorization', basic, ...agent];
    const from = source === undefined ? {} : { source };
    return await send('POST', '/oauth/token', { headers, body: form.toString(), ...from });
  }

  async function tryAdmin(method: string, target: string, body?: unknown): Promise<Answered> {
    const { body: granted } = await token('admin', secret as string, { resource: `${ISSUER}/v1` });
    const typed = body === undefined ? [] : ['Content-Type', 'application/json'];
    const headers = ['Authorization', `Bearer ${granted.access_token}`, 'If-Match', '*', ...typed];
    return await send(method, target, {
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async function admin(method: string, target: string, body?: unknown): Promise<Answered> {
    const answer = await tryAdmin(method, target, body);
    if (answer.status >= 300) throw new Error(`${method} ${target}: ${answer.text}`);
    return answer;
  }

  return {
    issuer: ISSUER,
    now: () => Date.now() + ahead,
    send,
    token,
    admin,
    tryAdmin,
    async leap(days) {
      ahead += days * DAY;
      await running.jobs.start();
    },
    async travel(days, daily) {
      for (let day = 0; day < days; day++) {
        ahead += DAY;
        await daily?.();
        await running.jobs.start();
      }
    },
    async isTaken(text) {
      const jws = parseCompactJws(text);
      const claims = jws.ok ? parseAccessTokenClaims(jws.payload) : undefined;
      const signed = parseCompactJws((await send('GET', '/oauth/cutoffs?after=0')).text);
      const feed = signed.ok ? parseCutoffFeed(signed.payload) : undefined;
      if (!jws.ok || claims?.ok !== true || feed?.ok !== true) throw new Error('no token, or no feed');
      return !isCutOff(indexCutoffs(feed.feed.entries), claims.claims, jws.header.kid);
    },
    async close() {
      running.release();
      await running.jobs.stop();
      await running.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
