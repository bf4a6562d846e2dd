import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyDocuments, AUTHORITY } from '../compose.ts';
import { type Answer, type Authority, identityBody, openAuthority, PEOPLE } from '../../../test/authority.ts';

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const issuer = (change: object = {}): object => ({
  issuer: 'https://idp.example',
  name: 'idp',
  kind: 'people',
  jwks_uri: 'https://idp.example/keys',
  people: { client_id: 'countersign', roles: { admin: ['admins'] } },
  ...change,
});
const OTHER = { issuer: 'https://other.example', jwks_uri: 'https://other.example/keys' };

/** Somebody who signed in through the issuer that was registered. */
function adminOf(id: string): Promise<string> {
  const claims = { crd: id, idp: { iss: 'https://idp.example', sub: 'ada' } };
  return authority.personToken('ada@example.com', ['admin'], { claims });
}

function patch(id: string, body: object, token?: string): Promise<Answer> {
  const ask = { body, headers: { 'If-Match': '*' } };
  return authority.call('PATCH', `/v1/trusted-issuers/${id}`, token === undefined ? ask : { ...ask, token });
}

test('who vouches for people is first said by a machine, then by people; a machine may only stop it', async () => {
  const made = await authority.call('POST', '/v1/trusted-issuers', { body: issuer() });
  expect([made.status, made.body.people.roles]).toEqual([201, { admin: ['admins'] }]);
  const { id } = made.body;
  const roles = { people: { roles: { approver: ['mine'] } } };
  expect((await patch(id, roles)).body.code).toBe('needs_people');
  expect((await patch(id, { jwks_uri: 'https://evil.example/keys' })).body.code).toBe('needs_people');
  const removed = await authority.call('DELETE', `/v1/trusted-issuers/${id}`, {
    headers: { 'If-Match': '*' },
  });
  expect(removed.body.code).toBe('needs_people');
  const second = await authority.call('POST', '/v1/trusted-issuers', { body: issuer(OTHER) });
  expect(second.body.code).toBe('needs_people');
  const admin = await adminOf(id);
  const changed = await patch(id, roles, admin);
  expect([changed.status, changed.body.people.roles]).toEqual([
    200,
    { admin: ['admins'], approver: ['mine'] },
  ]);
  const without = await patch(id, { people: { roles: { approver: null } } }, admin);
  expect(without.body.people.roles).toEqual({ admin: ['admins'] });
  expect((await patch(id, { state: 'suspended' })).status).toBe(200);
  expect((await patch(id, { state: 'active' })).body.code).toBe('needs_people');
  expect((await patch(id, { state: 'active' }, admin)).status).toBe(401);
});

test('it is brought back by the host alone, for nobody can sign in through it', async () => {
  const made = await authority.call('POST', '/v1/trusted-issuers', { body: issuer() });
  await patch(made.body.id, { state: 'suspended' });
  const { body } = await authority.call('GET', '/v1/export');
  const { deps } = authority;
  const digest = (text: string): string => deps.secretHash.digest(text);
  await authority.call('POST', '/v1/apply', { body });
  const stateOf = async () => (await authority.call('GET', `/v1/trusted-issuers/${made.body.id}`)).body.state;
  expect(await stateOf()).toBe('suspended');
  await applyDocuments({ ...deps, digest }, AUTHORITY, body.documents, { dryRun: false });
  expect(await stateOf()).toBe('active');
});

test('there is one at a time', async () => {
  const made = await authority.call('POST', '/v1/trusted-issuers', { body: issuer() });
  const token = await adminOf(made.body.id);
  const second = await authority.call('POST', '/v1/trusted-issuers', { token, body: issuer(OTHER) });
  expect([second.status, second.body.code]).toEqual([409, 'already_exists']);
});

test('it never vouches for a machine, and an issuer of machines never for people', async () => {
  await authority.call('POST', '/v1/trusted-issuers', { body: issuer() });
  const { body: identity } = await authority.call('POST', '/v1/identities', { body: identityBody('a') });
  const rule = { type: 'federated', trusted_issuer: 'https://idp.example', conditions: { sub: 'ada' } };
  const answer = await authority.call('POST', `/v1/identities/${identity.id}/credentials`, { body: rule });
  expect([answer.status, answer.body.code]).toEqual([403, 'refused_by_policy']);
  for (const change of [
    { kind: 'generic' },
    { people: undefined },
    { audience: 'x' },
    { single_use: false },
  ]) {
    const bad = await authority.call('POST', '/v1/trusted-issuers', {
      body: issuer({ ...OTHER, ...change }),
    });
    expect(bad.body.code).toBe('validation_failed');
  }
});

test('it is exported as a document, and applying that changes nothing', async () => {
  await authority.call('POST', '/v1/trusted-issuers', { body: issuer() });
  const { body } = await authority.call('GET', '/v1/export');
  const applied = await authority.call('POST', '/v1/apply?dry_run=true', { body });
  expect([applied.status, applied.body.changes]).toEqual([200, []]);
});

test('no identity is called like the clients through which people sign in', async () => {
  for (const name of ['countersign-cli', 'countersign-console', 'countersign']) {
    const made = await authority.call('POST', '/v1/identities', {
      body: identityBody('a', { client_id: name }),
    });
    expect(made.body.code).toBe('validation_failed');
  }
});

test('who calls: a person with roles, a machine with a name', async () => {
  const token = await authority.personToken('pat@example.com', ['owner'], { teams: ['payments'] });
  const { body } = await authority.call('GET', '/v1/me', { token });
  expect(body).toMatchObject({
    kind: 'person',
    client_id: null,
    person: { handle: 'pat@example.com', issuer: PEOPLE.issuer, roles: ['owner'], teams: ['payments'] },
  });
  expect(body.own_only).toContain('identities:write');
  const machine = (await authority.call('GET', '/v1/me')).body;
  expect(machine).toMatchObject({ kind: 'machine', client_id: 'admin', person: null, own_only: [] });
});

test('signing out ends the token, and a machine has nothing to sign out of', async () => {
  const token = await authority.personToken('ada@example.com', ['auditor'], { claims: { jti: 'mine' } });
  expect((await authority.call('POST', '/v1/me/sign-out', { token, body: {} })).status).toBe(200);
  expect((await authority.call('GET', '/v1/me', { token })).status).toBe(401);
  expect((await authority.call('POST', '/v1/me/sign-out', { body: {} })).body.code).toBe('needs_people');
});
