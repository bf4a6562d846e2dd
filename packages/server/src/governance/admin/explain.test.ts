import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Authority, identityBody, ISSUER, openAuthority } from '../../../test/authority.ts';

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
  await authority.call('POST', '/v1/identities', { body: identityBody('a', { client_id: 'a' }) });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const event = {
  at: '2026-11-21T12:00:00.000Z',
  request_id: 'req_abc',
  identity: 'a',
  resource: 'https://fraud.test',
  node: 'test',
} as const;

test('a refused token is told in one sentence, with its reason, its fix and the identity as it is now', async () => {
  await authority.log.append({
    ...event,
    id: 'evt_1',
    type: 'token.refused',
    outcome: 'refused',
    reason: 'secret_mismatch',
  });
  const answer = await authority.call('GET', '/v1/explain/req_abc');
  expect(operations['explain.get'].response.parse(answer.body)).toEqual(answer.body);
  expect(answer.body).toMatchObject({
    summary: 'a was refused a token for https://fraud.test.',
    why: expect.stringContaining('none of its secrets'),
    fix: expect.stringContaining('credentials create'),
    identity: { client_id: 'a', state: 'active' },
    events: [{ type: 'token.refused', reason: 'secret_mismatch' }],
  });
});

test('of a token that a policy refused it names the policy, its rule and what is wrong', async () => {
  await authority.log.append({
    ...event,
    id: 'evt_1',
    type: 'token.refused',
    outcome: 'refused',
    reason: 'policy_enforced',
    detail: '{"policy":"keys only","rule":"methods_allowed","why":"is a client_secret in prod"}',
  });
  const { body } = await authority.call('GET', '/v1/explain/req_abc');
  const said = 'The policy "keys only" (methods_allowed) refused it: is a client_secret in prod.';
  expect(body.why).toContain(said);
  expect(body.fix).toContain('policy-exceptions create');
});

test('an issued token and a change are told too', async () => {
  await authority.log.append({
    ...event,
    id: 'evt_2',
    type: 'token.issued',
    outcome: 'success',
    scopes_held: 'read write',
  });
  const issued = await authority.call('GET', '/v1/explain/req_abc');
  expect(issued.body).toMatchObject({
    summary: 'a got a token for https://fraud.test with read write.',
    fix: null,
  });
  const change = await authority.call('POST', '/v1/identities/a/suspend', { body: { reason: 'odd calls' } });
  const told = await authority.call('GET', `/v1/explain/${change.requestId}`);
  expect(told.body).toMatchObject({ why: 'odd calls', identity: { client_id: 'admin' } });
  expect(told.body.events).toHaveLength(2);
});

test('what was cut off is told to be final, what an operator suspended can be resumed', async () => {
  await authority.log.append({
    ...event,
    id: 'evt_3',
    type: 'token.refused',
    outcome: 'refused',
    reason: 'identity_suspended',
  });
  await authority.call('POST', '/v1/identities/a/suspend', { body: { reason: 'odd' } });
  expect((await authority.call('GET', '/v1/explain/req_abc')).body.fix).toContain('identities resume');
  await authority.call('POST', '/v1/cutoffs', { body: { kind: 'identity', id: 'a', reason: 'leaked' } });
  const { why, fix } = (await authority.call('GET', '/v1/explain/req_abc')).body;
  expect(why).toContain('takes two people');
  expect(fix).toContain('countersign connect');
});

test.for<[string, { mtlsBase: string | undefined; clientCertificates: boolean }, string]>([
  [
    'the port',
    { mtlsBase: 'https://mtls.test:8443', clientCertificates: true },
    'https://mtls.test:8443/oauth/introspect',
  ],
  ['the proxy', { mtlsBase: undefined, clientCertificates: true }, 'client-cert-header'],
  ['what to set', { mtlsBase: undefined, clientCertificates: false }, 'mtls-port'],
])('whose certificate was not seen is told %s', async ([, seen, address]) => {
  const other = await openAuthority(seen);
  const refused = {
    type: 'introspection.refused',
    outcome: 'refused',
    reason: 'certificate_missing',
  } as const;
  await other.log.append({ ...event, id: 'evt_4', ...refused });
  const { why, fix } = (await other.call('GET', '/v1/explain/req_abc')).body;
  expect(why).toContain('does not ask for one');
  expect(fix).toContain(address);
  await other.close();
});

test('refusals of the admin API are told, those before the token was good too', async () => {
  const refused = await authority.call('GET', '/v1/identities/nobody');
  const told = await authority.call('GET', `/v1/explain/${refused.requestId}`);
  expect(told.body).toMatchObject({ summary: 'admin was refused GET /v1/identities/nobody.' });
  const stranger = await authority.call('GET', '/v1/keys', {
    token: await authority.tokenFor('admin', { aud: 'x' }),
  });
  const why = await authority.call('GET', `/v1/explain/${stranger.requestId}`);
  expect(why.body.why).toContain('another resource server');
});

test('a request without an event is not found, a wrong id neither', async () => {
  expect((await authority.call('GET', '/v1/explain/req_unknown')).status).toBe(404);
  expect((await authority.call('GET', '/v1/explain/__proto__')).status).toBe(404);
});

test('the log is queried by filter and page', async () => {
  const first = await authority.call('GET', '/audit/events?limit=3');
  expect(operations['audit.events'].response.parse(first.body)).toEqual(first.body);
  expect(first.body.items.map((each: { seq: number }) => each.seq)).toEqual([1, 2, 3]);
  const second = await authority.call('GET', `/audit/events?limit=3&cursor=${first.body.next_cursor}`);
  expect(second.body.items[0].seq).toBe(4);
  const made = await authority.call('GET', '/audit/events?type=identity.created&identity=admin');
  expect(made.body.items).toHaveLength(1);
  expect(made.body.items[0].detail.after).toMatchObject({ client_id: 'a' });
  const none = await authority.call('GET', '/audit/events?from=2030-01-01T00:00:00Z');
  expect(none.body).toEqual({ items: [], next_cursor: null });
});

test('the API describes itself, without a token', async () => {
  const openapi = await authority.call('GET', '/openapi.json', { token: null });
  expect(openapi.body).toMatchObject({ openapi: '3.1.0', servers: [{ url: ISSUER }] });
  const metadata = await authority.call('GET', '/.well-known/oauth-protected-resource/v1', { token: null });
  expect(metadata.body).toMatchObject({ resource: `${ISSUER}/v1`, authorization_servers: [ISSUER] });
});
