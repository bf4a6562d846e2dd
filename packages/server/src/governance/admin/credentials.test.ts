import { operations } from '@countersign/admin-api';
import { generateKeyPairSync } from 'node:crypto';
import { parseSecret } from '@countersign/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  operator,
  resourceServerBody,
  START,
} from '../../../test/authority.ts';
import { parseOutboundAllow } from '../../outbound/address.ts';
import { urlFault } from '../../outbound/target.ts';

const DAY = 86_400_000;
const at = (ms: number): string => new Date(ms).toISOString();

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
  await authority.call('POST', '/v1/identities', {
    body: identityBody('a', { client_id: 'a', expires_at: at(START + 365 * DAY) }),
  });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const add = (change: Record<string, unknown> = {}): Promise<Answer> =>
  authority.call('POST', '/v1/identities/a/credentials', { body: { type: 'client_secret', ...change } });

test('a secret is in its 201 and nowhere else', async () => {
  const answer = await add({ label: 'first' });
  expect(answer.status, answer.text).toBe(201);
  expect(operations['credentials.create'].response.parse(answer.body)).toEqual(answer.body);
  const { secret, public_id } = answer.body;
  expect(parseSecret(secret)).toEqual({ kind: 'csk', publicId: public_id });
  const record = await authority.storage.credentials.byId(answer.body.id);
  const digest = record?.material.type === 'client_secret' ? record.material.digest : '';
  expect(digest).toBe(authority.deps.secretHash.digest(secret));
  const everything = [
    (await authority.call('GET', `/v1/credentials/${answer.body.id}`)).text,
    (await authority.call('GET', '/v1/credentials')).text,
    JSON.stringify(authority.log.events),
  ].join('\n');
  expect(everything).not.toContain(secret.slice(13));
  expect(everything).not.toContain(digest);
});

test('an API key is shown once, says what it opens at most and what would be better', async () => {
  await authority.call('POST', '/v1/identities', {
    body: identityBody('t', { client_id: 't', environment: 'test', expires_at: at(START + 365 * DAY) }),
  });
  const addKey = (change: Record<string, unknown>): Promise<Answer> =>
    authority.call('POST', '/v1/identities/t/credentials', { body: { type: 'api_key', ...change } });
  const server = await authority.call('POST', '/v1/resource-servers', {
    body: resourceServerBody('https://kiosk.test', ['read', 'write']),
  });
  const answer = await addKey({ resource_server: 'https://kiosk.test', scopes: ['read'] });
  expect(answer.status, answer.text).toBe(201);
  expect(operations['credentials.create'].response.parse(answer.body)).toEqual(answer.body);
  expect(parseSecret(answer.body.secret)).toEqual({ kind: 'cak', publicId: answer.body.public_id });
  expect(answer.body).toMatchObject({
    type: 'api_key',
    resource_server: server.body.id,
    scopes: ['read'],
    expires_at: at(START + 90 * DAY),
    hint: expect.stringContaining('private_key_jwt'),
  });
  const later = await authority.call('GET', `/v1/credentials/${answer.body.id}`);
  expect(later.body).not.toHaveProperty('secret');
  expect(JSON.stringify(authority.log.events)).not.toContain(answer.body.secret.slice(13));
  expect((await addKey({ resource_server: 'https://kiosk.test', scopes: ['delete'] })).status).toBe(422);
  expect((await addKey({ resource_server: 'https://nobody.test' })).status).toBe(422);
});

test('a credential that policy would never take is not made, and the answer names rule and better method', async () => {
  await authority.call('POST', '/v1/identities', {
    body: identityBody('p', { client_id: 'p', environment: 'prod' }),
  });
  const answer = await authority.call('POST', '/v1/identities/p/credentials', { body: { type: 'api_key' } });
  expect([answer.status, answer.body.code]).toEqual([403, 'refused_by_policy']);
  expect(answer.body.detail).toMatch(/methods-allowed-per-environment: no api_key in prod\. .*client_secret/);
  expect((await authority.call('GET', '/v1/identities/p/credentials')).body.items).toEqual([]);
});

test('it ends at the earlier of ninety days and its identity, whatever was wished, and states it', async () => {
  expect((await add()).body.expires_at).toBe(at(START + 90 * DAY));
  expect((await add({ expires_at: at(START + 300 * DAY) })).body.expires_at).toBe(at(START + 90 * DAY));
  expect((await add({ expires_at: at(START + 5 * DAY) })).body.expires_at).toBe(at(START + 5 * DAY));
  expect((await add({ expires_at: at(START - 1) })).status).toBe(400);
  await authority.call('PATCH', '/v1/identities/a', {
    body: { expires_at: at(START + 2 * DAY) },
    headers: { 'If-Match': '*' },
  });
  expect((await add()).body.expires_at).toBe(at(START + 2 * DAY));
});

test('it can be relabelled, suspended, resumed and shortened, not prolonged beyond its age', async () => {
  const { body } = await add();
  const patch = (change: object): Promise<Answer> =>
    authority.call('PATCH', `/v1/credentials/${body.id}`, { body: change, headers: { 'If-Match': '*' } });
  expect((await patch({ label: 'old' })).body).toMatchObject({ label: 'old', version: 2 });
  expect((await patch({ state: 'suspended' })).body.state).toBe('suspended');
  expect((await patch({ state: 'active' })).body.state).toBe('active');
  authority.clock.advance(10 * DAY);
  expect((await patch({ expires_at: at(START + 200 * DAY) })).body.expires_at).toBe(at(START + 90 * DAY));
  const types = authority.log.events.filter((event) => event.resource === body.id).map((event) => event.type);
  expect(types).toEqual([
    'credential.created',
    'credential.updated',
    'credential.suspended',
    'credential.resumed',
  ]);
});

test('revoked is revoked', async () => {
  const { body } = await add();
  const path = `/v1/credentials/${body.id}`;
  const headers = { 'If-Match': '*' };
  expect((await authority.call('DELETE', path, { headers })).body.state).toBe('revoked');
  const back = await authority.call('PATCH', path, { headers, body: { state: 'active' } });
  expect([back.status, back.body.code]).toEqual([409, 'illegal_transition']);
});

test('an identity on its way out takes no credentials', async () => {
  await authority.call('POST', '/v1/identities/a/decommission', { body: { reason: 'over' } });
  expect((await add()).body.code).toBe('illegal_transition');
});

test('who may write credentials does not become more by it', async () => {
  const token = await operator(authority, 'clerk', ['credentials:write']);
  const forAdmin = await authority.call('POST', '/v1/identities/admin/credentials', {
    token,
    body: { type: 'client_secret' },
  });
  expect([forAdmin.status, forAdmin.body.code]).toEqual([403, 'exceeds_own_access']);
  const forOther = await authority.call('POST', '/v1/identities/a/credentials', {
    token,
    body: { type: 'client_secret' },
  });
  expect(forOther.status).toBe(201);
});

test('lists can be narrowed', async () => {
  const { body } = await add({ expires_at: at(START + 3 * DAY), label: 'short' });
  await add();
  const soon = await authority.call(
    'GET',
    `/v1/credentials?identity=a&expires_before=${at(START + 4 * DAY)}`,
  );
  expect(soon.body.items.map((each: { id: string }) => each.id)).toEqual([body.id]);
  expect(soon.body.items[0]).toMatchObject({ client_id: 'a', type: 'client_secret' });
  const all = await authority.call('GET', '/v1/identities/a/credentials?limit=1');
  expect(all.body.items).toHaveLength(1);
  expect(all.body.next_cursor).not.toBeNull();
});

test('a public key is registered as it is for signatures, shown, and asks for no better method', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' });
  const answer = await add({ type: 'private_key_jwt', jwk: { ...jwk, kid: 'k1', x5c: ['x'], note: 'n' } });
  expect(answer.status, answer.text).toBe(201);
  expect(operations['credentials.create'].response.parse(answer.body)).toEqual(answer.body);
  expect(answer.body).toMatchObject({ type: 'private_key_jwt', jwk: { ...jwk, kid: 'k1', alg: 'ES256' } });
  expect(answer.body.jwk).not.toHaveProperty('note');
  expect(answer.body.public_id).toMatch(/^[\w-]{43}$/);
  expect(answer.body.label).toBe(`private_key_jwt ${answer.body.public_id.slice(0, 8)}`);
  for (const member of ['secret', 'hint', 'allow_rs256', 'allow_token_endpoint_audience']) {
    expect(answer.body).not.toHaveProperty(member);
  }
  const end = Date.parse(answer.body.expires_at);
  expect(end).toBe(START + 365 * DAY);
  const leaked = await add({ type: 'private_key_jwt', jwk: privateKey.export({ format: 'jwk' }) });
  expect([leaked.status, leaked.body.errors?.[0]?.pointer]).toEqual([400, '/jwk']);
});

test('an RSA key is for PS256, unless it says or is allowed something else', async () => {
  const jwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
  const algOf = async (change: object, more: object = {}): Promise<unknown> => {
    const { body } = await add({ type: 'private_key_jwt', jwk: { ...jwk, ...change }, ...more });
    return body.jwk?.alg ?? body.errors?.[0]?.detail;
  };
  expect(await algOf({})).toBe('PS256');
  expect(await algOf({ alg: 'RS384' })).toBe('RS384');
  expect(await algOf({}, { allow_rs256: true })).toBe('RS256');
  expect(await algOf({ alg: 'RS256' }, { allow_rs256: true })).toBe('RS256');
  expect(await algOf({ alg: 'RS256' })).toContain('allow_rs256');
});

test.each([
  ['RSA of 1,024 bits', () => rsaJwk(1024)],
  ['an even exponent', () => ({ ...rsaJwk(2048), e: 'AQAA' })],
  ['the exponent 1', () => ({ ...rsaJwk(2048), e: 'AQ' })],
  ['a point off its curve', () => ({ ...ecJwk(), y: Buffer.alloc(32, 1).toString('base64url') })],
  ['a short coordinate', () => ({ ...ecJwk(), x: 'AAAA' })],
  ['a curve that is not used', () => ({ ...ecJwk(), crv: 'secp256k1' })],
  ['an algorithm of another kind', () => ({ ...ecJwk(), alg: 'PS256' })],
  ['none', () => ({ ...ecJwk(), alg: 'none' })],
  ['HMAC', () => ({ ...ecJwk(), alg: 'HS256' })],
  ['a key for encryption', () => ({ ...ecJwk(), use: 'enc' })],
  ['a key for signing only', () => ({ ...ecJwk(), key_ops: ['sign'] })],
  ['a thumbprint that is none', () => ({ ...ecJwk(), 'x5t#S256': 'x' })],
  ['a private member', () => ({ ...ecJwk(), priv: 'AAAA' })],
])('a key that must not be trusted is refused: %s', async (_, jwk) => {
  const answer = await add({ type: 'private_key_jwt', jwk: jwk() });
  expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, '/jwk']);
  expect((await authority.call('GET', '/v1/credentials?type=private_key_jwt')).body.items).toEqual([]);
});

const ecJwk = (): object =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const rsaJwk = (modulusLength: number): object =>
  generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' });

test('a client may publish its keys itself', async () => {
  const uri = 'https://payments.test/jwks?of=a';
  const answer = await add({ type: 'private_key_jwt', jwks_uri: uri, allow_token_endpoint_audience: true });
  expect(answer.status, answer.text).toBe(201);
  expect(operations['credentials.create'].response.parse(answer.body)).toEqual(answer.body);
  expect(answer.body).toMatchObject({
    label: 'private_key_jwt payments.test',
    public_id: null,
    jwks_uri: uri,
    allow_token_endpoint_audience: true,
  });
  for (const jwks_uri of [
    'http://payments.test/',
    'https://u:p@payments.test/',
    'https://payments.test/#a',
    'x',
    'https://10.0.0.1/',
    'https://169.254.169.254/jwks',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[64:ff9b::a00:1]/',
    'https://8.8.8.8:8443/',
  ]) {
    const refused = await add({ type: 'private_key_jwt', jwks_uri });
    expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([400, '/jwks_uri']);
  }
  // What a name means is seen when it is asked for.
  expect((await add({ type: 'private_key_jwt', jwks_uri: 'https://localhost/' })).status).toBe(201);
  expect((await add({ type: 'private_key_jwt', jwks_uri: uri, jwk: ecJwk() })).status).toBe(400);
  expect((await add({ type: 'private_key_jwt' })).status).toBe(400);
});

test('a private address may publish keys where the setting outbound-allow names it', async () => {
  await authority.close();
  const read = parseOutboundAllow(['10.1.0.0/16']);
  if (!read.ok) throw new Error(read.entry);
  const reach = { allow: read.allow, plainLoopback: false };
  authority = await openAuthority({ fetchFault: (url) => urlFault(reach, url) });
  await authority.call('POST', '/v1/identities', { body: identityBody('a', { client_id: 'a' }) });
  const statuses: number[] = [];
  for (const host of ['10.1.2.3:8443', '10.2.0.1'])
    statuses.push((await add({ type: 'private_key_jwt', jwks_uri: `https://${host}/jwks` })).status);
  expect(statuses).toEqual([201, 400]);
});
