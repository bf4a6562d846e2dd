import { expect } from 'vitest';
import { jsonOf, send, type Answer, type HeaderLine } from './exchange.ts';
import type { ClientCredentials, Target } from './target.ts';
import { askToken } from './token-request.ts';
import { expectToken } from './expectations.ts';

const TOKEN_KEPT_MS = 120_000;

export interface AdminAsk {
  readonly body?: unknown;
  readonly headers?: readonly HeaderLine[];
  readonly token?: string;
}

/** The admin API as a script would use it: a token from the token endpoint, then JSON. */
export interface Admin {
  readonly target: Target;
  token(): Promise<string>;
  /** `path` starts at the API's base (`/identities`), or is a whole URL. */
  call(method: string, path: string, ask?: AdminAsk): Promise<Answer>;
  /** The same, and the answer must be a 2xx with a JSON object, or 204. */
  must(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** PATCH or DELETE of the version that is there now. */
  change(method: 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Answer>;
  /** Every item of a list, page by page. */
  all(path: string, limit?: number): Promise<Record<string, unknown>[]>;
}

/** Opens the admin API of a target that has one. */
export function openAdmin(target: Target): Admin {
  const admin = target.admin;
  if (admin === undefined) throw new Error('this target has no admin API');
  let kept: { token: string; until: number } | undefined;

  async function token(): Promise<string> {
    if (kept !== undefined && kept.until > Date.now()) return kept.token;
    const answer = await askToken({
      target,
      client: (admin as NonNullable<Target['admin']>).client,
      params: { resource: (admin as NonNullable<Target['admin']>).resource },
    });
    const made = expectToken(answer);
    kept = { token: made.token, until: Date.now() + Math.min(TOKEN_KEPT_MS, made.expiresIn * 500) };
    return made.token;
  }

  async function call(method: string, path: string, ask: AdminAsk = {}): Promise<Answer> {
    const url = path.startsWith('http') ? path : `${(admin as NonNullable<Target['admin']>).api}${path}`;
    const headers: HeaderLine[] = [['Authorization', `Bearer ${ask.token ?? (await token())}`]];
    if (ask.body !== undefined && !ask.headers?.some(([name]) => name.toLowerCase() === 'content-type'))
      headers.push([
        'Content-Type',
        method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
      ]);
    headers.push(...(ask.headers ?? []));
    const body =
      ask.body === undefined
        ? undefined
        : typeof ask.body === 'string' || ask.body instanceof Uint8Array
          ? ask.body
          : JSON.stringify(ask.body);
    return send(url, { method, headers, ca: target.ca, ...(body === undefined ? {} : { body }) });
  }

  async function must(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await call(method, path, body === undefined ? {} : { body });
    expect(answer.status, `${method} ${path}: ${answer.text.slice(0, 400)}`).toBeGreaterThanOrEqual(200);
    expect(answer.status, `${method} ${path}: ${answer.text.slice(0, 400)}`).toBeLessThan(300);
    return answer.text === '' ? {} : jsonOf(answer);
  }

  async function change(method: 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Answer> {
    const etag = String((await call('GET', path)).headers.etag);
    return call(method, path, { headers: [['If-Match', etag]], ...(body === undefined ? {} : { body }) });
  }

  async function all(path: string, limit = 1000): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < limit; page++) {
      const mark = path.includes('?') ? '&' : '?';
      const got = await must(
        'GET',
        cursor === undefined ? path : `${path}${mark}cursor=${encodeURIComponent(cursor)}`,
      );
      items.push(...(got['items'] as Record<string, unknown>[]));
      cursor = (got['next_cursor'] ?? undefined) as string | undefined;
      if (cursor === undefined || cursor === '') return items;
    }
    throw new Error(`${path} has more than ${limit} pages`);
  }

  return { target, token, call, must, change, all };
}

/** An instant so many seconds from now, as the admin API writes it. */
export function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}

export const DAYS = 86_400;

/** The least that makes an identity, with what a test wants different. */
export function identityBody(name: string, change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name,
    kind: 'service',
    environment: 'test',
    purpose: 'made by the conformance suite',
    owner: { person: 'robin@example.com', backup: 'kim@example.com', team: 'platform' },
    expires_at: inSeconds(30 * DAYS),
    ...change,
  };
}

/** The least that makes a resource server. */
export function resourceServerBody(
  identifier: string,
  scopes: readonly string[],
  change: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    identifier,
    name: `Conformance ${new URL(identifier).hostname}`,
    scopes: scopes.map((name) => ({ name, description: `may ${name}`, sensitivity: 1 })),
    ...change,
  };
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
    justification: 'conformance suite',
    expires_at: inSeconds(30 * DAYS),
    ...change,
  };
}

/** One identity with a client secret. */
export interface Machine extends ClientCredentials {
  readonly identityId: string;
  readonly credentialId: string;
}

/** Creates an identity and its first client secret. */
export async function makeMachine(
  admin: Admin,
  name: string,
  change: Record<string, unknown> = {},
): Promise<Machine> {
  const identity = await admin.must('POST', '/identities', identityBody(name, change));
  const credential = await issueSecret(admin, String(identity['id']));
  return {
    id: String(identity['client_id']),
    identityId: String(identity['id']),
    secret: credential.secret,
    credentialId: credential.id,
  };
}

/** Adds a client secret to an identity; the only time that it is seen. */
export async function issueSecret(
  admin: Admin,
  identityId: string,
  change: Record<string, unknown> = {},
): Promise<{ id: string; secret: string }> {
  const made = await admin.must('POST', `/identities/${identityId}/credentials`, {
    type: 'client_secret',
    ...change,
  });
  return { id: String(made['id']), secret: String(made['secret']) };
}

/** Revokes a credential for ever. */
export async function revokeCredential(admin: Admin, credentialId: string): Promise<void> {
  const answer = await admin.change('DELETE', `/credentials/${credentialId}`);
  expect([200, 204], answer.text).toContain(answer.status);
}
