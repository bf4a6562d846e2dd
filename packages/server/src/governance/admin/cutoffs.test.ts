import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type Authority, identityBody, openAuthority, START } from '../../../test/authority.ts';

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
  await authority.call('POST', '/v1/identities', { body: identityBody('a', { client_id: 'a' }) });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const order = (kind: string, id: string): Promise<Answer> =>
  authority.call('POST', '/v1/cutoffs', { body: { kind, id, reason: 'secret found in a repository' } });

test('an identity is suspended for security: only people bring it back', async () => {
  const answer = await order('identity', 'a');
  expect(answer.status, answer.text).toBe(201);
  expect(operations['cutoffs.create'].response.parse(answer.body)).toEqual(answer.body);
  expect(answer.body).toMatchObject({
    kind: 'identity',
    target: 'a',
    ordered_by: 'admin',
    not_before: new Date((Math.floor(START / 1000) + 1) * 1000).toISOString(),
  });
  const { body } = await authority.call('GET', '/v1/identities/a');
  expect(body).toMatchObject({
    state: 'suspended',
    security_stop: true,
    state_reason: 'secret found in a repository',
  });
  const resumed = await authority.call('POST', '/v1/identities/a/resume', { body: { reason: 'ok now' } });
  expect([resumed.status, resumed.body.code]).toEqual([403, 'needs_people']);
  const types = authority.log.events.filter((event) => event.request_id === answer.requestId);
  expect(types.map((event) => event.type)).toEqual(['identity.suspended', 'cutoff.ordered']);
});

test('an identity that is already suspended, or not active yet, is stopped too', async () => {
  await authority.call('POST', '/v1/identities/a/suspend', { body: { reason: 'holiday' } });
  expect((await order('identity', 'a')).status).toBe(201);
  expect((await authority.call('GET', '/v1/identities/a')).body.security_stop).toBe(true);
  const draft = identityBody('d', { client_id: 'd', state: 'draft' });
  await authority.call('POST', '/v1/identities', { body: draft });
  await order('identity', 'd');
  const activated = await authority.call('POST', '/v1/identities/d/activate');
  expect([activated.status, activated.body.code]).toEqual([403, 'needs_people']);
});

test('a credential is revoked', async () => {
  const made = await authority.call('POST', '/v1/identities/a/credentials', {
    body: { type: 'client_secret' },
  });
  const answer = await order('credential', made.body.id);
  expect(answer.body).toMatchObject({ kind: 'credential', target: made.body.id });
  expect((await authority.call('GET', `/v1/credentials/${made.body.id}`)).body.state).toBe('revoked');
});

test('a signing key is compromised: another one signs, and tokens of the old one end', async () => {
  const { body: before } = await authority.call('GET', '/v1/keys');
  const active = before.items.find((key: { state: string }) => key.state === 'active');
  const token = await authority.tokenFor('admin');
  expect((await order('key', active.kid)).status).toBe(201);
  const refused = await authority.call('GET', '/v1/keys', { token });
  expect(refused.status).toBe(401);
  const { body: after } = await authority.call('GET', '/v1/keys');
  const states = after.items.map((key: { kid: string; state: string }) => [
    key.kid === active.kid,
    key.state,
  ]);
  expect(states).toContainEqual([false, 'active']);
  expect(states).toContainEqual([true, 'compromised']);
  expect(JSON.stringify(after)).not.toContain('sealed');
});

test('a token has no state here: there is the order alone', async () => {
  const answer = await order('token', 'some-jti');
  expect(answer.body).toMatchObject({ kind: 'token', target: 'some-jti' });
});

test('what does not exist cannot be cut off', async () => {
  for (const kind of ['identity', 'credential', 'key']) {
    const answer = await order(kind, 'nobody');
    expect([answer.status, answer.body.code], kind).toEqual([422, 'unknown_reference']);
  }
});

test('orders are listed in their order, page by page', async () => {
  for (const jti of ['one', 'two', 'three']) await order('token', jti);
  const first = await authority.call('GET', '/v1/cutoffs?limit=2');
  expect(first.body.items.map((each: { target: string }) => each.target)).toEqual(['one', 'two']);
  const second = await authority.call('GET', `/v1/cutoffs?limit=2&cursor=${first.body.next_cursor}`);
  expect(second.body).toMatchObject({ items: [{ target: 'three' }], next_cursor: null });
});

test('a token or a secret in the place of its id is refused: everybody could read it in the feed, and it would still work', async () => {
  await authority.call('POST', '/v1/identities', { body: identityBody('pay', { client_id: 'pay' }) });
  const made = await authority.call('POST', '/v1/identities/pay/credentials', {
    body: { type: 'client_secret' },
  });
  const { secret } = made.body as { secret: string };
  const opaque = `cot_${'A'.repeat(120)}`;
  for (const id of [secret, `x_${secret}`, opaque, 'eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiIxIn0.c2ln']) {
    const answer = await order('token', id);
    expect([answer.status, answer.body.errors[0].pointer], id).toEqual([400, '/id']);
  }
  const body = { kind: 'identity', id: 'pay', reason: `found ${secret} in a repository` };
  const told = await authority.call('POST', '/v1/cutoffs', { body });
  expect([told.status, told.body.errors[0].pointer]).toEqual([400, '/reason']);
  expect(JSON.stringify(authority.log.events)).not.toContain(secret);
  expect(told.text).not.toContain(secret);
});
