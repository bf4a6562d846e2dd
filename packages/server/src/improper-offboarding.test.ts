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
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compose, type Composition } from './compose.ts';
import { toDeployment } from './config/deployment.ts';
import { loadSettings } from './config/load.ts';
import type { HttpRequest } from './http/request.ts';
import type { Route } from './http/route.ts';
import { pooledRandom } from './ids.ts';
import { createLogger } from './telemetry/logger.ts';

// OWASP Non-Human Identities Top 10 (2025), NHI1: improper offboarding. The whole authority, by its endpoints, with time in hand.
const ISSUER = 'http://localhost:1';
const DAY = 86_400_000;
const START = Date.now();

let folder: string;
/** How far ahead of the real one the clock is: refusals wait for its beat. */
let ahead: number;
let running: Composition;
let secrets: Map<string, string>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-offboarding-'));
  ahead = 0;
  secrets = new Map();
  running = await start();
  const { clientId, secret } = await running.ensureAdmin();
  secrets.set(clientId, secret as string);
});
afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

function start(): Promise<Composition> {
  const flags = { http: true, port: '0', 'data-dir': join(folder, 'data') };
  return compose({
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
}

async function stop(): Promise<void> {
  running.release();
  await running.jobs.stop();
  await running.close();
}

/** The process starts anew so many days after an instant, and its jobs run once. */
async function startAgain(since: number, days: number): Promise<void> {
  await stop();
  ahead = since + days * DAY - Date.now();
  running = await start();
  await running.jobs.start();
}

interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers of every shape
  readonly body: any;
}

let requests = 0;
async function send(method: string, target: string, headers: string[], body = ''): Promise<Answer> {
  const [path = '', query = ''] = target.split('?', 2);
  const [route, params] = find(running.routes, method, path);
  const request: HttpRequest = {
    method,
    path,
    query,
    rawHeaders: headers,
    clientCertificate: undefined,
    body: new TextEncoder().encode(body),
    id: `req_${String(++requests).padStart(20, '0')}`,
    source: '127.0.0.1',
  };
  const answer = await route.endpoint(request, params);
  const text = typeof answer.body === 'string' ? answer.body : Buffer.from(answer.body).toString();
  return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text };
}

function find(
  routes: readonly Route[],
  method: string,
  path: string,
): readonly [Route, Record<string, string>] {
  for (const route of routes) {
    const names = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1] as string);
    const match = new RegExp(`^${route.path.replace(/:\w+/g, '([^/]+)')}$`).exec(path);
    if (route.method !== method || match === null) continue;
    return [
      route,
      Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(match[at + 1] as string)])),
    ];
  }
  throw new Error(`no route for ${method} ${path}`);
}

const basic = (clientId: string, secret: string): string =>
  `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`;

async function tokenOf(clientId: string, secret: string, resource: string): Promise<Answer> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', resource }).toString();
  const headers = [
    'Content-Type',
    'application/x-www-form-urlencoded',
    'Authorization',
    basic(clientId, secret),
  ];
  return await send('POST', '/oauth/token', headers, form);
}

async function admin(method: string, target: string, body?: unknown): Promise<Answer> {
  const { body: token } = await tokenOf('admin', secrets.get('admin') as string, `${ISSUER}/v1`);
  const headers = ['Authorization', `Bearer ${token.access_token}`, 'If-Match', '*'];
  if (body !== undefined) headers.push('Content-Type', 'application/json');
  const answer = await send(method, `/v1${target}`, headers, body === undefined ? '' : JSON.stringify(body));
  if (answer.status >= 300) throw new Error(`${method} ${target}: ${JSON.stringify(answer.body)}`);
  return answer;
}

/** Whether a verifier that follows the feed takes the token: by the rule that every one of them applies. */
async function isTaken(token: string): Promise<boolean> {
  const jws = parseCompactJws(token);
  const claims = jws.ok ? parseAccessTokenClaims(jws.payload) : undefined;
  const answer = await send('GET', '/oauth/cutoffs?after=0', []);
  const signed = parseCompactJws(answer.body as string);
  const feed = signed.ok ? parseCutoffFeed(signed.payload) : undefined;
  if (!jws.ok || claims?.ok !== true || feed?.ok !== true) throw new Error('no token, or no feed');
  return !isCutOff(indexCutoffs(feed.feed.entries), claims.claims, jws.header.kid);
}

test('NHI1: an identity with two credentials, three accesses and live tokens does not outlive its owner by more than 14 days', {
  timeout: 120_000,
}, async () => {
  const end = new Date(START + 300 * DAY).toISOString();
  await admin('POST', '/people', { handle: 'ada@example.com', name: 'Ada' });
  await admin('POST', '/identities', {
    name: 'payments',
    client_id: 'payments',
    kind: 'service',
    environment: 'dev',
    purpose: 'collects card payments',
    owner: { person: 'ada@example.com' },
    expires_at: end,
  });
  const credentials: string[] = [];
  for (let n = 0; n < 2; n++) {
    const body = { type: 'client_secret', expires_at: new Date(START + 80 * DAY).toISOString() };
    credentials.push((await admin('POST', '/identities/payments/credentials', body)).body.secret);
  }
  const apis = ['https://a.example', 'https://b.example', 'https://c.example'];
  for (const identifier of apis) {
    await admin('POST', '/resource-servers', {
      identifier,
      name: identifier,
      scopes: [{ name: 'read' }],
      token: { lifetime: 3600 },
    });
    await admin('POST', '/access', {
      identity: 'payments',
      resource_server: identifier,
      scopes: ['read'],
      justification: 'is needed',
      expires_at: end,
    });
  }
  const works = async (): Promise<boolean[]> => {
    const answers = [];
    for (const secret of credentials)
      for (const api of apis) answers.push((await tokenOf('payments', secret, api)).status === 200);
    return answers;
  };

  await admin('PATCH', '/people/ada%40example.com', { status: 'left' });
  const { clock } = (await admin('GET', '/identities/payments')).body.ownership;
  expect(clock).toMatchObject({ person: 'ada@example.com', interim: null });
  const since = Date.parse(clock.since);
  expect(Date.parse(clock.suspends_at)).toBe(since + 14 * DAY);
  await startAgain(since, 13.99);
  expect(await works()).toEqual(Array.from({ length: 6 }, () => true));
  const live: string[] = [];
  for (const api of apis)
    live.push((await tokenOf('payments', credentials[0] as string, api)).body.access_token);
  for (const token of live) expect(await isTaken(token)).toBe(true);

  await startAgain(since, 14);
  expect((await admin('GET', '/identities/payments')).body).toMatchObject({
    state: 'suspended',
    state_reason: expect.stringMatching(/^owner_lost: ada@example\.com has left/) as string,
  });
  for (const secret of credentials) {
    for (const api of apis) {
      const refused = await tokenOf('payments', secret, api);
      expect([refused.status, refused.body.error]).toEqual([401, 'invalid_client']);
    }
  }
  for (const token of live) expect(await isTaken(token)).toBe(false);
  await expect(admin('POST', '/identities/payments/resume', { reason: 'x' })).rejects.toThrow('owner_left');
  const again = { name: 'x', client_id: 'payments', kind: 'service', environment: 'dev', purpose: 'x' };
  const owner = { person: 'grace@example.com' };
  await expect(admin('POST', '/identities', { ...again, owner, expires_at: end })).rejects.toThrow(
    'already_exists',
  );
  // A new owner, and it works again: with new tokens only.
  await admin('PATCH', '/identities/payments', { owner });
  await admin('POST', '/identities/payments/resume', { reason: 'grace answers for it' });
  expect(await works()).toEqual(Array.from({ length: 6 }, () => true));
  for (const token of live) expect(await isTaken(token)).toBe(false);
});
