import { beforeAll, describe, expect, test } from 'vitest';
import { jsonOf, send, type Answer, type HeaderLine } from './wire/exchange.ts';
import { currentTarget } from './wire/target.ts';

// RFC 8414: the metadata document, and the keys that it leads to.
const target = currentTarget();
const issuer = new URL(target.issuer);
const path = issuer.pathname === '/' ? '' : issuer.pathname;
const oauth = `${issuer.origin}/.well-known/oauth-authorization-server${path}`;
const openid = `${issuer.origin}${path}/.well-known/openid-configuration`;

let metadata: Record<string, unknown>;

beforeAll(async () => {
  metadata = jsonOf(await fetchOk(oauth));
});

async function fetchOk(url: string, headers: readonly HeaderLine[] = []): Promise<Answer> {
  const answer = await send(url, { ca: target.ca, headers });
  expect(answer.status, `${url}: ${answer.text.slice(0, 200)}`).toBe(200);
  return answer;
}

describe('RFC 8414 section 3: where and how', () => {
  test('the path of section 3 serves JSON', async () => {
    expect((await fetchOk(oauth)).headers['content-type']).toMatch(/^application\/json/);
  });

  test('section 5: the path of OpenID Connect Discovery serves the same document', async () => {
    const answer = await fetchOk(openid);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(jsonOf(answer)).toEqual(metadata);
  });

  test('threat 52: the document may be cached, and only for a stated time', async () => {
    for (const url of [oauth, openid]) {
      const control = (await fetchOk(url)).headers['cache-control'] ?? '';
      expect(control).not.toMatch(/no-store/);
      expect(control).toMatch(/max-age=\d+/);
    }
  });

  test('it needs no credentials and ignores bad ones', async () => {
    await fetchOk(oauth, [['Authorization', 'Bearer nonsense']]);
  });

  test.each<[string, HeaderLine[]]>([
    ['Host', [['Host', 'evil.example']]],
    ['X-Forwarded-Host', [['X-Forwarded-Host', 'evil.example']]],
    ['X-Forwarded-Proto', [['X-Forwarded-Proto', 'http']]],
    ['Forwarded', [['Forwarded', 'host=evil.example;proto=http']]],
    ['X-Forwarded-Prefix', [['X-Forwarded-Prefix', '/evil']]],
    ['X-Original-URL', [['X-Original-URL', '/evil']]],
  ])('threat 51: nothing in it comes from the request: %s', async (_what, headers) => {
    const answer = await send(oauth, { ca: target.ca, headers });
    if (answer.status === 200) expect(jsonOf(answer)).toEqual(metadata);
    else expect([400, 421]).toContain(answer.status);
    expect(answer.text).not.toContain('evil');
  });

  test('POST is not GET', async () => {
    const answer = await send(oauth, { method: 'POST', ca: target.ca, body: 'x' });
    expect([404, 405]).toContain(answer.status);
  });
});

describe('RFC 8414 section 2: the members', () => {
  test('section 3.3: issuer is identical to the one that the client uses', () => {
    expect(metadata['issuer']).toBe(target.issuer);
    expect(issuer.search + issuer.hash).toBe('');
  });

  test('every endpoint is an absolute URL under TLS, without fragment', () => {
    const endpoints = Object.entries(metadata).filter(
      ([name]) => name.endsWith('_endpoint') || name === 'jwks_uri',
    );
    expect(endpoints.length).toBeGreaterThanOrEqual(2);
    for (const [name, value] of endpoints) {
      const url = new URL(String(value));
      expect(url.hash, name).toBe('');
      // the loopback of a developer may go without TLS; nothing else may
      if (issuer.protocol === 'https:' || issuer.hostname !== 'localhost')
        expect(url.protocol, name).toBe(issuer.protocol === 'https:' ? 'https:' : url.protocol);
    }
    expect(metadata['token_endpoint']).toBe(target.tokenEndpoint);
    expect(metadata['jwks_uri']).toBe(target.jwksUri);
  });

  test('section 3.2: no member is an empty list, and none is null', () => {
    for (const [name, value] of Object.entries(metadata)) {
      expect(value, name).not.toBeNull();
      if (Array.isArray(value)) expect(value.length, name).toBeGreaterThan(0);
    }
  });

  test('client_credentials is offered with client_secret_basic and client_secret_post', () => {
    expect(metadata['grant_types_supported']).toContain('client_credentials');
    const methods = metadata['token_endpoint_auth_methods_supported'];
    expect(methods).toEqual(expect.arrayContaining(['client_secret_basic', 'client_secret_post']));
  });

  test.runIf(target.admin !== undefined)('nothing is offered that is not there', async () => {
    expect(metadata['grant_types_supported']).not.toContain('authorization_code');
    expect(metadata['token_endpoint_auth_methods_supported']).not.toContain('none');
    for (const [name, value] of Object.entries(metadata).filter(([name]) => name.endsWith('_endpoint'))) {
      const answer = await send(String(value), {
        method: 'POST',
        ca: target.ca,
        headers: [['Content-Type', 'application/x-www-form-urlencoded']],
        body: '',
      });
      expect(answer.status, name).not.toBe(404);
    }
  });
});

describe('RFC 8414 jwks_uri and RFC 7517: the keys', () => {
  let keys: Record<string, unknown>[];
  let answer: Answer;
  beforeAll(async () => {
    answer = await fetchOk(target.jwksUri);
    keys = jsonOf(answer)['keys'] as Record<string, unknown>[];
  });

  test('threat 52: the set is served as JSON, cacheable, and has keys', () => {
    expect(answer.headers['content-type']).toMatch(/^application\/(jwk-set\+)?json/);
    expect(answer.headers['cache-control']).toMatch(/max-age=\d+/);
    expect(keys.length).toBeGreaterThan(0);
  });

  test('every key has kid, use and alg, and the kids differ', () => {
    for (const key of keys) {
      expect(key['kid']).toEqual(expect.any(String));
      expect(key['use']).toBe('sig');
      expect(key['alg']).toEqual(expect.any(String));
    }
    expect(new Set(keys.map((key) => key['kid'])).size).toBe(keys.length);
  });

  test('no key has a private member, and none is symmetric', () => {
    for (const key of keys) {
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'])
        expect(key).not.toHaveProperty(member);
      expect(key['kty']).not.toBe('oct');
    }
  });

  test('RFC 7518 section 6.2.1: coordinates have their full width', () => {
    for (const key of keys.filter((each) => each['crv'] === 'P-256'))
      for (const member of ['x', 'y']) expect(Buffer.from(String(key[member]), 'base64url').length).toBe(32);
  });
});
