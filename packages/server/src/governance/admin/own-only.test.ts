import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Authority, identityBody, openAuthority } from '../../../test/authority.ts';

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const OWN = { person: 'mia@example.com', team: 'payments' };
const OTHERS = { person: 'otto@example.com', team: 'ledger' };

function asOwner(teams: readonly string[] = ['payments']): Promise<string> {
  return authority.personToken('pat@example.com', ['owner'], { teams });
}

async function made(name: string, owner: object): Promise<string> {
  const body = identityBody(name, { owner, client_id: name });
  return (await authority.call('POST', '/v1/identities', { body })).body.id;
}

test('an owner makes, changes, stops and equips what its team owns', async () => {
  const token = await asOwner();
  const created = await authority.call('POST', '/v1/identities', {
    token,
    body: identityBody('mine', { owner: OWN, client_id: 'mine' }),
  });
  expect(created.status).toBe(201);
  const path = `/v1/identities/${created.body.id}`;
  const headers = { 'If-Match': '*' };
  expect((await authority.call('PATCH', path, { token, body: { purpose: 'b' }, headers })).status).toBe(200);
  const body = { type: 'client_secret' };
  expect((await authority.call('POST', `${path}/credentials`, { token, body })).status).toBe(201);
  expect((await authority.call('POST', `${path}/suspend`, { token, body: { reason: 'x' } })).status).toBe(
    200,
  );
  const order = { kind: 'identity', id: 'mine', reason: 'x' };
  expect((await authority.call('POST', '/v1/cutoffs', { token, body: order })).status).toBe(201);
});

test('and what it is accountable for itself, in whatever case its name is written', async () => {
  const id = await made('personal', { person: 'Pat@Example.com' });
  const token = await asOwner([]);
  const answer = await authority.call('POST', `/v1/identities/${id}/suspend`, {
    token,
    body: { reason: 'x' },
  });
  expect(answer.status).toBe(200);
});

test('an owner changes nothing of others, whichever way it goes, and nothing of it is done', async () => {
  const id = await made('theirs', OTHERS);
  const token = await asOwner();
  const before = authority.log.events.length;
  const path = `/v1/identities/${id}`;
  const tries: [string, string, object][] = [
    ['PATCH', path, { owner: OWN }],
    ['POST', `${path}/suspend`, { reason: 'x' }],
    ['POST', `${path}/credentials`, { type: 'client_secret' }],
    ['POST', '/v1/identities', identityBody('for-others', { owner: OTHERS })],
    ['POST', '/v1/cutoffs', { kind: 'identity', id: 'theirs', reason: 'x' }],
    ['POST', '/v1/cutoffs', { kind: 'token', id: 'some-jti', reason: 'x' }],
  ];
  for (const [method, target, body] of tries) {
    for (const query of ['', '?dry_run=true']) {
      const headers = method === 'PATCH' ? { 'If-Match': '*' } : {};
      const answer = await authority.call(method, `${target}${query}`, { token, body, headers });
      expect([target, answer.status, answer.body.code]).toEqual([target, 403, 'not_own']);
    }
  }
  expect(authority.log.events.slice(before).every(({ type }) => type === 'admin.refused')).toBe(true);
  expect((await authority.call('GET', path)).body).toMatchObject({ state: 'active', owner: OTHERS });
});

test('a team that looks like the own one is another', async () => {
  const id = await made('theirs', OWN);
  for (const teams of [['Payments'], ['payments '], ['pаyments'], ['payment']]) {
    const token = await asOwner(teams);
    const answer = await authority.call('POST', `/v1/identities/${id}/suspend`, {
      token,
      body: { reason: 'x' },
    });
    expect(answer.body.code).toBe('not_own');
  }
});

test('an owner narrows access and gives it back, and gives none: not even of the admin API to its own', async () => {
  const id = await made('mine', OWN);
  await authority.call('POST', '/v1/resource-servers', {
    body: {
      identifier: 'https://fraud.test',
      name: 'fraud',
      scopes: ['fraud:read', 'fraud:write'].map((name) => ({ name, description: name, sensitivity: 1 })),
    },
  });
  const body = (server: string, scopes: readonly string[]) => ({
    identity: id,
    resource_server: server,
    scopes,
    justification: 'x',
    expires_at: new Date(authority.clock.now() + 86_400_000).toISOString(),
  });
  const token = await asOwner();
  const give = (server: string, scopes: readonly string[]) =>
    authority.call('POST', '/v1/access', { token, body: body(server, scopes) });
  expect((await give('https://authority.test/v1', ['identities:write'])).body.code).toBe(
    'exceeds_own_access',
  );
  expect((await give('https://fraud.test', ['fraud:read'])).body.code).toBe('not_own');
  const both = body('https://fraud.test', ['fraud:read', 'fraud:write']);
  const { body: access } = await authority.call('POST', '/v1/access', { body: both });
  const change = (patch: object) =>
    authority.call('PATCH', `/v1/access/${access.id}`, { token, body: patch, headers: { 'If-Match': '*' } });
  expect((await change({ scopes: ['fraud:read'] })).status).toBe(200);
  expect((await change({ scopes: ['fraud:read', 'fraud:write'] })).body.code).toBe('not_own');
  const later = new Date(authority.clock.now() + 2 * 86_400_000).toISOString();
  expect((await change({ expires_at: later })).body.code).toBe('not_own');
  const gone = await authority.call('DELETE', `/v1/access/${access.id}`, {
    token,
    headers: { 'If-Match': '*' },
  });
  expect(gone.status).toBe(200);
});

test('an owner takes no condition from an access, and makes none of its tokens live longer', async () => {
  const id = await made('mine', OWN);
  await authority.call('POST', '/v1/resource-servers', {
    body: { identifier: 'https://fraud.test', name: 'fraud', scopes: [{ name: 'read' }] },
  });
  const { body: access } = await authority.call('POST', '/v1/access', {
    body: {
      identity: id,
      resource_server: 'https://fraud.test',
      scopes: ['read'],
      justification: 'x',
      token_lifetime: 300,
      conditions: { networks: ['10.0.0.0/8'] },
      expires_at: new Date(authority.clock.now() + 86_400_000).toISOString(),
    },
  });
  const token = await asOwner();
  const change = (patch: object) =>
    authority.call('PATCH', `/v1/access/${access.id}`, { token, body: patch, headers: { 'If-Match': '*' } });
  for (const wider of [
    { token_lifetime: 600 },
    { token_lifetime: null },
    { conditions: null },
    { conditions: { networks: ['10.0.0.0/8', '192.168.0.0/16'] } },
  ])
    expect([wider, (await change(wider)).body.code]).toEqual([wider, 'not_own']);
  const narrower = { token_lifetime: 60, conditions: { networks: ['10.1.0.0/16'] } };
  expect((await change(narrower)).status).toBe(200);
});

test('who is an operator too is not limited', async () => {
  const id = await made('theirs', OTHERS);
  const token = await authority.personToken('pat@example.com', ['owner', 'operator'], {
    teams: ['payments'],
  });
  const answer = await authority.call('POST', `/v1/identities/${id}/suspend`, {
    token,
    body: { reason: 'x' },
  });
  expect(answer.status).toBe(200);
});
