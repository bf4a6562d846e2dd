import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSigningKeystore } from '../../keys/signing-keystore.ts';
import { createRequireAdmin, TokenRefused } from './require-admin.ts';
import {
  type Answer,
  type Authority,
  identityBody,
  ISSUER,
  openAuthority,
  operator,
  RESOURCE,
} from '../../../test/authority.ts';

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const list = (headers: Record<string, string> | [string, string][] = {}): Promise<Answer> =>
  authority.call('GET', '/v1/identities', { token: null, headers });
const bearer = (token: string): Promise<Answer> => list({ Authorization: `Bearer ${token}` });
const lastReason = (): string | undefined => authority.log.events.at(-1)?.reason;

test('without a token: 401, a challenge without error, and where to read more', async () => {
  for (const headers of [{}, { Authorization: 'Basic eDp5' }]) {
    const answer = await list(headers);
    expect([answer.status, answer.body.code]).toEqual([401, 'token_required']);
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer realm="countersign", resource_metadata="${ISSUER}/.well-known/oauth-protected-resource/v1"`,
    );
  }
});

test('two tokens are one too many', async () => {
  const token = await authority.tokenFor('admin');
  const answer = await list([
    ['Authorization', `Bearer ${token}`],
    ['authorization', `Bearer ${token}`],
  ]);
  expect(answer.status).toBe(400);
  expect(answer.headers['www-authenticate']).toContain('error="invalid_request"');
});

test('every bad token is told one word, and the log which', async () => {
  const now = Math.floor(authority.clock.now() / 1000);
  const good = await authority.tokenFor('admin');
  const [head = '', payload = '', signature = ''] = good.split('.');
  const cases: [string, string][] = [
    ['token_malformed', 'a,b'],
    ['token_malformed', 'abc'],
    ['signature_wrong', `${head}.${payload}.${signature.slice(0, -8)}AAAAAAAA`],
    [
      'key_unknown',
      `${btoa('{"alg":"ES256","typ":"at+jwt","kid":"x"}').replaceAll('=', '')}.${payload}.${signature}`,
    ],
    ['wrong_issuer', await authority.tokenFor('admin', { iss: 'https://other.test' })],
    ['wrong_audience', await authority.tokenFor('admin', { aud: 'https://fraud.test' })],
    ['expired', await authority.tokenFor('admin', { exp: now - 5 })],
    ['issued_in_the_future', await authority.tokenFor('admin', { iat: now + 60 })],
    ['bound_token_as_bearer', await authority.tokenFor('admin', { cnf: { jkt: 'A'.repeat(43) } })],
    ['sender_constrained', await authority.tokenFor('admin', { cnf: { later: 1 } })],
    ['identity_unknown', await authority.tokenFor('admin', { client_id: 'nobody', sub: 'nobody' })],
    ['credential_unknown', await authority.tokenFor('admin', { crd: 'crd_00000000000000000000' })],
    ['access_replaced', await authority.tokenFor('admin', { acs: 'acs_00000000000000000000' })],
    [
      'wrong_typ',
      await authority.keystore.sign('ES256', 'JWT', atob(payload.replaceAll('-', '+').replaceAll('_', '/'))),
    ],
  ];
  const told = new Set<string>();
  for (const [reason, token] of cases) {
    const answer = await bearer(token);
    expect(answer.status, reason).toBe(401);
    expect(lastReason()).toBe(reason);
    expect(authority.log.events.at(-1)).toMatchObject({ type: 'admin.refused', outcome: 'refused' });
    told.add(`${answer.headers['www-authenticate']} ${answer.body.code} ${answer.body.detail}`);
  }
  expect([...told]).toHaveLength(1);
});

test('the truth of this moment counts: state, credential, access and cut-off', async () => {
  const token = await operator(authority, 'clerk', ['identities:read']);
  expect((await bearer(token)).status).toBe(200);

  await authority.call('POST', '/v1/identities/clerk/suspend', { body: { reason: 'odd' } });
  expect((await bearer(token)).status).toBe(401);
  expect(lastReason()).toBe('cut_off');
  await authority.call('POST', '/v1/identities/clerk/resume', { body: { reason: 'ok' } });
  expect((await bearer(token)).status).toBe(401);

  authority.clock.advance(3000);
  const later = await authority.tokenFor('clerk');
  expect((await bearer(later)).status).toBe(200);
  const { body: credentials } = await authority.call('GET', '/v1/identities/clerk/credentials');
  const headers = { 'If-Match': '*' };
  await authority.call('DELETE', `/v1/credentials/${credentials.items[0].id}`, { headers });
  expect((await bearer(later)).status).toBe(401);
  expect(lastReason()).toBe('credential_revoked');
});

test('a scope that was taken away is missing at once', async () => {
  const token = await operator(authority, 'clerk', ['identities:read', 'access:read']);
  const { body } = await authority.call('GET', '/v1/access?identity=clerk');
  await authority.call('PATCH', `/v1/access/${body.items[0].id}`, {
    body: { scopes: ['access:read'] },
    headers: { 'If-Match': '"1"' },
  });
  const answer = await bearer(token);
  expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
  expect(answer.headers['www-authenticate']).toContain('scope="identities:read"');
});

test('a token without the scope is told which one, and the log who', async () => {
  const token = await operator(authority, 'clerk', ['identities:read']);
  const answer = await authority.call('POST', '/v1/identities', { token, body: identityBody('x') });
  expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
  expect(answer.headers['www-authenticate']).toContain('error="insufficient_scope"');
  expect(answer.headers['www-authenticate']).toContain('scope="identities:write"');
  expect(authority.log.events.at(-1)).toMatchObject({ identity: 'clerk', reason: 'insufficient_scope' });
});

test('a token holds no more than it says, whatever the access holds', async () => {
  const token = await authority.tokenFor('admin', { scope: 'identities:read' });
  expect((await bearer(token)).status).toBe(200);
  const answer = await authority.call('GET', '/v1/access', { token });
  expect(answer.status).toBe(403);
});

test('a token that is cut off by itself is refused, others are not', async () => {
  const token = await authority.tokenFor('admin', { jti: 'stolen-one' });
  await authority.call('POST', '/v1/cutoffs', {
    body: { kind: 'token', id: 'stolen-one', reason: 'in a log' },
  });
  expect((await bearer(token)).status).toBe(401);
  expect(lastReason()).toBe('cut_off');
  expect((await bearer(await authority.tokenFor('admin'))).status).toBe(200);
});

describe('a key that another node made a moment ago', () => {
  /** A node that shares the database, and is not told of changes. */
  async function unheard() {
    const { deps, storage } = authority;
    const keystore = await createSigningKeystore({
      keys: storage.signingKeys,
      signer: deps.rotation.signer,
      clock: authority.clock,
    });
    let readings = 0;
    const counted = {
      verificationKey: (kid: string) => keystore.verificationKey(kid),
      reload: () => {
        readings++;
        return keystore.reload();
      },
    };
    const guard = createRequireAdmin({ ...deps, resource: RESOURCE, keystore: counted });
    const reasonFor = async (token: string): Promise<string> => {
      const request = {
        method: 'GET',
        path: '/v1/keys',
        query: '',
        rawHeaders: ['Authorization', `Bearer ${token}`],
        body: new Uint8Array(0),
        id: 'req_1',
        source: '127.0.0.1',
      };
      const outcome = await guard.authenticate(request).catch((error: unknown) => error);
      return outcome instanceof TokenRefused ? outcome.reason : 'ok';
    };
    return { reasonFor, readings: () => readings };
  }
  const stolen = async (): Promise<void> => {
    const token = await authority.tokenFor('admin');
    const { kid } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as {
      kid: string;
    };
    const order = { kind: 'key', id: kid, reason: 'drill' };
    expect((await authority.call('POST', '/v1/cutoffs', { body: order })).status).toBe(201);
    authority.clock.advance(3000);
  };
  const withKid = async (kid: string): Promise<string> => {
    const [, payload = '', signature = ''] = (await authority.tokenFor('admin')).split('.');
    const header = JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid });
    return `${Buffer.from(header).toString('base64url')}.${payload}.${signature}`;
  };

  test('is looked for once, and its tokens are taken', async () => {
    const node = await unheard();
    // The one that follows is known before it signs; the one after that is not.
    await stolen();
    await stolen();
    const token = await authority.tokenFor('admin');
    expect(await Promise.all([node.reasonFor(token), node.reasonFor(token)])).toEqual(['ok', 'ok']);
    expect(node.readings()).toBe(1);
  });

  test('is looked for once a second at most, and never where the name is not one of ours', async () => {
    const node = await unheard();
    expect(await node.reasonFor(await withKid('x'))).toBe('key_unknown');
    expect(node.readings()).toBe(0);
    const invented = await withKid('key_00000000000000000000');
    for (let i = 0; i < 20; i++) expect(await node.reasonFor(invented)).toBe('key_unknown');
    expect(node.readings()).toBe(1);
    authority.clock.advance(1000);
    await node.reasonFor(invented);
    expect(node.readings()).toBe(2);
  });
});
