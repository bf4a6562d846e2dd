import { expect } from 'vitest';
import { jsonOf, type Answer } from './exchange.ts';

/** RFC 6749 section 5.2, RFC 8707 section 2, RFC 9449 sections 5 and 8: all that may come from a token endpoint. */
const REGISTERED = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'invalid_authorization_details',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'access_denied',
  'temporarily_unavailable',
  'server_error',
]);

function cut(answer: Answer): string {
  return `${answer.status} ${answer.text.slice(0, 300)}`;
}

/** Holds of every answer of a token endpoint, good or bad. */
function expectTokenEndpointForm(answer: Answer): void {
  expect(answer.headers['content-type'], cut(answer)).toMatch(/^application\/json(;\s*charset=utf-8)?$/i);
  expect(answer.headers['cache-control'] ?? '', cut(answer)).toMatch(/(^|[ ,])no-store($|[ ,;])/);
}

/** A registered error in the form of RFC 6749 section 5.2. `error` may be several where the standard leaves the choice. */
export function expectOAuthError(
  answer: Answer,
  status: number | readonly number[],
  error: string | readonly string[],
): Record<string, unknown> {
  expect([status].flat(), cut(answer)).toContain(answer.status);
  expectTokenEndpointForm(answer);
  const body = jsonOf(answer);
  expect([error].flat(), cut(answer)).toContain(body['error']);
  expect(REGISTERED.has(String(body['error'])), `${String(body['error'])} is registered`).toBe(true);
  // RFC 6749 section 5.2: the characters that a description may have
  for (const member of ['error_description', 'error_uri'])
    if (body[member] !== undefined) expect(body[member]).toMatch(/^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/);
  expect(body).not.toHaveProperty('access_token');
  return body;
}

/** A token response in the form of RFC 6749 section 5.1. */
export function expectToken(
  answer: Answer,
  type: 'Bearer' | 'DPoP' = 'Bearer',
): {
  token: string;
  scopes: string[];
  expiresIn: number;
  body: Record<string, unknown>;
} {
  expect(answer.status, cut(answer)).toBe(200);
  expectTokenEndpointForm(answer);
  const body = jsonOf(answer);
  expect(body['access_token']).toEqual(expect.any(String));
  expect(String(body['token_type']).toLowerCase()).toBe(type.toLowerCase());
  expect(body['expires_in']).toEqual(expect.any(Number));
  const scope = body['scope'];
  return {
    token: body['access_token'] as string,
    scopes: typeof scope === 'string' && scope !== '' ? scope.split(' ') : [],
    expiresIn: body['expires_in'] as number,
    body,
  };
}

/** RFC 9457: the error form of the admin API. */
export function expectProblem(answer: Answer, status: number | readonly number[]): Record<string, unknown> {
  expect([status].flat(), cut(answer)).toContain(answer.status);
  expect(answer.headers['content-type'], cut(answer)).toMatch(/^application\/problem\+json/);
  const body = jsonOf(answer);
  expect(body['type']).toEqual(expect.any(String));
  expect(body['title']).toEqual(expect.any(String));
  expect(body['status']).toBe(answer.status);
  expect(answer.text).not.toMatch(/node_modules|at .+\.[jt]s:\d+|SQLITE|sqlite3?_|syntax error/);
  return body;
}

/** RFC 9110 section 11.6.1, for the one challenge that our servers send: scheme and its parameters, none repeated. */
export function parseChallenge(value: string): { scheme: string; params: Record<string, string> } {
  const [, scheme = '', rest = ''] = /^([A-Za-z0-9_-]+)(?:\s+(.*))?$/.exec(value) ?? [];
  const params: Record<string, string> = {};
  const pattern = /\s*([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)/gy;
  for (let match = pattern.exec(rest); match !== null; match = pattern.exec(rest)) {
    const name = (match[1] as string).toLowerCase();
    expect(params, `attribute ${name} is not repeated in ${value}`).not.toHaveProperty(name);
    params[name] = match[2] ?? match[3] ?? '';
    if (pattern.lastIndex >= rest.length) break;
  }
  return { scheme, params };
}
