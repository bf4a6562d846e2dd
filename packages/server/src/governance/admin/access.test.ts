import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  accessBody,
  type Answer,
  type Authority,
  identityBody,
  ISSUER,
  openAuthority,
  operator,
  resourceServerBody,
  START,
} from '../../../test/authority.ts';

const FRAUD = 'https://fraud.test/api';
const DAY = 86_400_000;

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
  await authority.call('POST', '/v1/identities', { body: identityBody('a', { client_id: 'a' }) });
  await authority.call('POST', '/v1/resource-servers', {
    body: resourceServerBody(FRAUD, ['read', 'write']),
  });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const give = (change: Record<string, unknown> = {}): Promise<Answer> =>
  authority.call('POST', '/v1/access', { body: accessBody('a', FRAUD, ['read'], change) });
const at = (ms: number): string => new Date(ms).toISOString();

test('an access is active, names both ends in every way, and who said so', async () => {
  const answer = await give();
  expect(answer.status, answer.text).toBe(201);
  expect(operations['access.create'].response.parse(answer.body)).toEqual(answer.body);
  expect(answer.body).toMatchObject({
    client_id: 'a',
    resource: FRAUD,
    scopes: ['read'],
    state: 'active',
    requested_by: 'admin',
    approved_by: 'admin',
    token_lifetime: null,
  });
});

test('an access ends no later than its identity, and states it', async () => {
  const answer = await give({ expires_at: at(START + 400 * DAY) });
  expect(answer.status).toBe(201);
  expect(answer.body.expires_at).toBe(at(START + 30 * DAY));
  const patched = await authority.call('PATCH', `/v1/access/${answer.body.id}`, {
    body: { expires_at: at(START + 500 * DAY) },
    headers: { 'If-Match': '*' },
  });
  expect(patched.body).toMatchObject({ expires_at: at(START + 30 * DAY), version: 1 });
});

test('a second access of the pair is refused with the id of the first; after revoking it is allowed', async () => {
  const first = await give();
  const second = await give({ scopes: ['write'] });
  expect([second.status, second.body.existing]).toEqual([409, first.body.id]);
  await authority.call('DELETE', `/v1/access/${first.body.id}`, { headers: { 'If-Match': '"1"' } });
  expect((await give()).status).toBe(201);
});

test('a revoked access does not change any more; revoking it again changes nothing', async () => {
  const { body } = await give();
  const headers = { 'If-Match': '*' };
  await authority.call('DELETE', `/v1/access/${body.id}`, { headers });
  const again = await authority.call('DELETE', `/v1/access/${body.id}`, { headers });
  expect(again.body).toMatchObject({ state: 'revoked', version: 2 });
  const patch = await authority.call('PATCH', `/v1/access/${body.id}`, {
    body: { scopes: ['write'] },
    headers,
  });
  expect(patch.body.code).toBe('illegal_transition');
});

test('who had access to what can be asked for any instant', async () => {
  const { body } = await give();
  authority.clock.advance(60_000);
  await authority.call('PATCH', `/v1/access/${body.id}`, {
    body: { scopes: ['read', 'write'], token_lifetime: 60 },
    headers: { 'If-Match': '"1"' },
  });
  authority.clock.advance(60_000);
  const scopesAt = async (ms: number): Promise<unknown> => {
    const answer = await authority.call('GET', `/v1/access?identity=a&as_of=${at(ms)}`);
    return answer.body.items.map((each: { scopes: string[] }) => each.scopes);
  };
  expect(await scopesAt(START - 1)).toEqual([]);
  expect(await scopesAt(START + 1000)).toEqual([['read']]);
  expect(await scopesAt(START + 61_000)).toEqual([['read', 'write']]);
  const holders = await authority.call(
    'GET',
    `/v1/access?resource_server=${encodeURIComponent(FRAUD)}&scope=write`,
  );
  expect(holders.body.items).toMatchObject([{ client_id: 'a', token_lifetime: 60 }]);
});

test('a scope in use cannot be taken from a resource server until the access is narrowed', async () => {
  const { body } = await give({ scopes: ['read', 'write'] });
  const drop = (): Promise<Answer> =>
    authority.call('PATCH', `/v1/resource-servers/${encodeURIComponent(FRAUD)}`, {
      body: { scopes: [{ name: 'read' }] },
      headers: { 'If-Match': '*' },
    });
  const refused = await drop();
  expect([refused.status, refused.body.existing]).toEqual([409, body.id]);
  await authority.call('PATCH', `/v1/access/${body.id}`, {
    body: { scopes: ['read'] },
    headers: { 'If-Match': '*' },
  });
  expect((await drop()).status).toBe(200);
});

test('an expired access holds nothing up, and neither does a deleted resource server its identifier', async () => {
  await give({ expires_at: at(START + 1000) });
  authority.clock.advance(2000);
  const path = `/v1/resource-servers/${encodeURIComponent(FRAUD)}`;
  const gone = await authority.call('DELETE', path, { headers: { 'If-Match': '*' } });
  expect(gone.body).toMatchObject({ state: 'deleted' });
  expect((await authority.call('GET', path)).status).toBe(404);
  const again = await authority.call('POST', '/v1/resource-servers', {
    body: resourceServerBody(FRAUD, ['read']),
  });
  expect(again.status).toBe(201);
});

test('nobody gives more of the admin API than they hold, but may narrow what others hold', async () => {
  const token = await operator(authority, 'clerk', ['access:write', 'access:read']);
  await operator(authority, 'chief', ['keys:write', 'access:write']);
  const { body } = await authority.call('GET', '/v1/access?identity=chief');
  const chief = body.items[0];
  const headers = { 'If-Match': '*' };
  const patch = (change: object): Promise<Answer> =>
    authority.call('PATCH', `/v1/access/${chief.id}`, { token, headers, body: change });
  expect((await patch({ scopes: ['keys:write', 'access:write', 'audit:read'] })).status).toBe(403);
  expect((await patch({ expires_at: at(START + 29 * DAY) })).status).toBe(403);
  const conditions = { networks: ['10.0.0.0/8'], binding: 'dpop' };
  expect((await patch({ token_lifetime: 60, conditions })).status).toBe(200);
  for (const more of [
    { token_lifetime: null },
    { conditions: null },
    { conditions: { networks: ['11.0.0.0/8'] } },
    { conditions: { binding: null } },
  ])
    expect((await patch(more)).body.code, JSON.stringify(more)).toBe('exceeds_own_access');
  expect((await patch({ scopes: ['access:write'] })).status).toBe(200);
  const own = await authority.call('POST', '/v1/access', {
    token,
    body: accessBody('a', `${ISSUER}/v1`, ['access:read']),
  });
  expect(own.status).toBe(201);
});
