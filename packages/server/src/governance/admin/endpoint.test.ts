import { operations, type ProblemCode, PROBLEMS } from '@countersign/admin-api';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  accessBody,
  type Answer,
  type Ask,
  type Authority,
  identityBody,
  ISSUER,
  openAuthority,
  operator,
  resourceServerBody,
} from '../../../test/authority.ts';
import { createEndpoint } from './endpoint.ts';
import { ProblemError } from './problem.ts';
import { TokenRefused } from './require-admin.ts';

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  await authority.close();
});

const FRAUD = 'https://fraud.test';
const seen = new Set<string>();

/** The problem, checked for its form. */
function problem(answer: Answer): ProblemCode {
  expect(answer.headers['content-type'], answer.text).toBe('application/problem+json');
  const code = answer.body.code as ProblemCode;
  expect(answer.body).toMatchObject({
    type: `https://countersign.dev/problems/${code}`,
    title: PROBLEMS[code].title,
    status: PROBLEMS[code].status,
    request_id: answer.requestId,
  });
  expect(answer.status).toBe(PROBLEMS[code].status);
  seen.add(code);
  return code;
}

const create = (body: unknown, ask: Omit<Ask, 'body'> = {}): Promise<Answer> =>
  authority.call('POST', '/v1/identities', { ...ask, body });

describe('every problem that an endpoint can answer with', () => {
  test('bodies that cannot be read', async () => {
    const deep = `{"a":${'['.repeat(20)}${']'.repeat(20)}}`;
    const bodies = ['{', '[]', 'null', '{} {}', '{"a":1,"a":2}', '{"a":"\\ud800"}', deep, '\ufeff{}'];
    for (const body of [...bodies, Buffer.from([0x7b, 0xff])]) {
      expect(problem(await create(body)), String(body)).toBe('malformed_request');
    }
    const key = await authority.call('DELETE', '/v1/access/acs_00000000000000000000', {
      body: {},
      headers: { 'If-Match': '*' },
    });
    expect(problem(key)).toBe('malformed_request');
  });

  test('members that are missing, unknown or wrong, each by its pointer and none by its value', async () => {
    const answer = await create({
      ...identityBody('a'),
      colour: 'red',
      owner: { person: 'secret-value\u0000' },
    });
    expect(problem(answer)).toBe('validation_failed');
    expect(answer.body.errors.map((each: { pointer: string }) => each.pointer).toSorted()).toEqual([
      '/colour',
      '/owner/person',
    ]);
    expect(answer.text).not.toContain('secret-value');
    expect(problem(await create(undefined))).toBe('validation_failed');
    expect((await create({ owner: {} })).body.errors).toContainEqual({
      pointer: '/name',
      detail: 'is missing',
    });
    const card = { type: 'tls_client_auth', subject_dn: 'CN=a' };
    const { body } = await authority.call('POST', '/v1/identities/a/credentials', { body: card });
    expect(body.errors).toEqual([{ pointer: '/ca', detail: 'is missing' }]);
  });

  test('queries that are not of the contract', async () => {
    const queries = [
      'colour=red',
      'limit=0',
      'limit=201',
      'limit=1&limit=2',
      'limit=%zz',
      'limit=1e1',
      'kind=x',
    ];
    for (const query of [...queries, 'cursor=garbage', 'cursor=e30', 'text=%00', 'dry_run=true']) {
      const answer = await authority.call('GET', `/v1/identities?${query}`);
      expect(problem(answer), query).toBe('malformed_request');
    }
    const dry = await authority.call('POST', '/v1/identities?dry_run=yes', { body: identityBody('a') });
    expect(problem(dry)).toBe('malformed_request');
  });

  test('other media types, and too much of the right one', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=latin1',
      'x',
    ]) {
      const answer = await create('{}', { headers: { 'Content-Type': type } });
      expect(problem(answer), type).toBe('unsupported_media_type');
    }
    const patch = await create('{}', { headers: { 'Content-Type': 'application/merge-patch+json' } });
    expect(problem(patch)).toBe('unsupported_media_type');
    const utf8 = await create(identityBody('a'), {
      headers: { 'Content-Type': 'Application/JSON;charset="utf-8"' },
    });
    expect(utf8.status).toBe(201);
    expect(problem(await create(`{"a":"${'x'.repeat(262_144)}"}`))).toBe('payload_too_large');
  });

  test('what is not there', async () => {
    for (const path of ['identities/nobody', 'credentials/crd_00000000000000000000', 'access/__proto__']) {
      expect(problem(await authority.call('GET', `/v1/${path}`)), path).toBe('not_found');
    }
    // Whoever takes a name for an identifier is told what to write.
    const named = await authority.call('GET', '/v1/resource-servers/fraud');
    expect(problem(named)).toBe('not_found');
    expect(named.body['detail']).toMatch(/^nothing is called so: it must be the identifier .+ not a name$/);
    expect(problem(await authority.call('GET', '/v1/access?identity=nobody'))).toBe('not_found');
    const body = accessBody('nobody', FRAUD, ['read']);
    const answer = await authority.call('POST', '/v1/access', { body });
    expect(problem(answer)).toBe('unknown_reference');
    expect(answer.body.errors[0].pointer).toBe('/identity');
  });

  test('who may not', async () => {
    expect(problem(await authority.call('GET', '/v1/keys', { token: null }))).toBe('token_required');
    expect(problem(await authority.call('GET', '/v1/keys', { token: 'x' }))).toBe('invalid_token');
    const token = await operator(authority, 'clerk', ['identities:write', 'access:write']);
    expect(problem(await authority.call('GET', '/v1/keys', { token }))).toBe('insufficient_scope');
    const body = accessBody('clerk', `${ISSUER}/v1`, ['keys:write']);
    expect(problem(await authority.call('POST', '/v1/access', { token, body }))).toBe('exceeds_own_access');
    const draft = await create(identityBody('d', { state: 'draft' }));
    await authority.call('POST', `/v1/identities/${draft.body.id}/submit`);
    expect(problem(await authority.call('POST', `/v1/identities/${draft.body.id}/approve`))).toBe(
      'needs_people',
    );
  });

  test('conflicts with what is', async () => {
    const made = await create(identityBody('a', { client_id: 'a' }));
    expect(problem(await create(identityBody('a', { client_id: 'a' })))).toBe('already_exists');
    const resumed = await authority.call('POST', '/v1/identities/a/resume', { body: { reason: 'x' } });
    expect(problem(resumed)).toBe('illegal_transition');
    await authority.call('POST', '/v1/resource-servers', { body: resourceServerBody(FRAUD, ['read']) });
    const unknown = accessBody('a', FRAUD, ['read', 'write']);
    expect(problem(await authority.call('POST', '/v1/access', { body: unknown }))).toBe('unknown_scope');
    await authority.call('POST', '/v1/access', { body: accessBody(made.body.id, FRAUD, ['read']) });
    const headers = { 'If-Match': '*' };
    const gone = await authority.call('DELETE', `/v1/resource-servers/${encodeURIComponent(FRAUD)}`, {
      headers,
    });
    expect(problem(gone)).toBe('still_in_use');
    const own = await authority.call('DELETE', `/v1/resource-servers/${encodeURIComponent(`${ISSUER}/v1`)}`, {
      headers,
    });
    expect(problem(own)).toBe('built_in');
    const last = await authority.call('POST', '/v1/identities/admin/suspend', { body: { reason: 'x' } });
    expect(problem(last)).toBe('last_administrator');
    for (let i = 0; i < 50; i++) {
      await authority.call('POST', '/v1/identities/a/credentials', { body: { type: 'client_secret' } });
    }
    const more = await authority.call('POST', '/v1/identities/a/credentials', {
      body: { type: 'client_secret' },
    });
    expect(problem(more)).toBe('limit_reached');
  });

  test('what policy forbids', async () => {
    await create(identityBody('p', { client_id: 'p', environment: 'prod' }));
    const key = await authority.call('POST', '/v1/identities/p/credentials', { body: { type: 'api_key' } });
    expect(problem(key)).toBe('refused_by_policy');
    const tests = [{ name: 'nobody needs one', given: {}, expect: 'allow' }];
    const body = { name: 'backups', rule: 'owner_required', tests };
    expect(problem(await authority.call('POST', '/v1/policies', { body }))).toBe('policy_test_failed');
  });

  test('what is not there to be named says so', async () => {
    await create(identityBody('a', { client_id: 'a' }));
    const credential = await authority.call('POST', '/v1/identities/a/credentials', {
      body: { type: 'spiffe', spiffe_id: 'spiffe://example.org/a' },
    });
    expect(problem(credential)).toBe('unknown_reference');
    const rotation = await authority.call('POST', '/v1/keys/rotate', { body: { alg: 'RS256' } });
    expect(problem(rotation)).toBe('unknown_reference');
    expect(problem(await authority.call('POST', '/v1/keys/rotate'))).toBe('too_early');
  });

  test('preconditions', async () => {
    const { body: made } = await create(identityBody('a'));
    const patch = (headers: Ask['headers']): Promise<Answer> =>
      authority.call('PATCH', `/v1/identities/${made.id}`, { body: { name: 'b' }, headers: headers ?? {} });
    expect(problem(await patch({}))).toBe('precondition_required');
    for (const stale of ['"2"', 'W/"1"', '"x", "7"']) {
      expect(problem(await patch({ 'If-Match': stale })), stale).toBe('precondition_failed');
    }
    for (const broken of ['1', '"', '"a" "b"', 'x'.repeat(2000)]) {
      expect(problem(await patch({ 'If-Match': broken })), broken).toBe('malformed_request');
    }
    expect((await patch({ 'If-Match': '"7", "1"' })).status).toBe(200);
    const moved = await authority.call('POST', `/v1/identities/${made.id}/suspend`, {
      body: { reason: 'x' },
      headers: { 'If-Match': '"1"' },
    });
    expect(problem(moved)).toBe('precondition_failed');
  });

  test('a log or a database that cannot: 503, and when to come back', async () => {
    authority.log.fail(true);
    const answer = await create(identityBody('a'));
    expect(problem(answer)).toBe('unavailable');
    expect(answer.headers['retry-after']).toBe('1');
    authority.log.fail(false);
    const token = await authority.tokenFor('admin');
    await authority.storage.close();
    expect(problem(await create(identityBody('b'), { token }))).toBe('unavailable');
  });

  test('a bug of ours is 500, reported, and says nothing', async () => {
    authority.log.find = () => Promise.reject(new TypeError('x is not a function'));
    const answer = await authority.call('GET', '/audit/events');
    expect(problem(answer)).toBe('internal_error');
    expect(answer.text).not.toContain('function');
    expect(authority.bugs).toHaveLength(1);
  });

  test('Idempotency-Key of a wrong shape', async () => {
    for (const key of ['', 'a b', 'k'.repeat(201), 'ü']) {
      const answer = await create(identityBody('a'), { headers: { 'Idempotency-Key': key } });
      expect(problem(answer), key).toBe('malformed_request');
    }
  });

  afterAll(() => {
    // What only the edge answers with, or only two nodes at once; and those of idempotency.test.ts.
    const elsewhere = ['method_not_allowed', 'request_timeout', 'uri_too_long', 'headers_too_large'];
    elsewhere.push('owner_left', 'not_offered', 'not_own');
    elsewhere.push('content_changed', 'not_an_approver', 'self_approval');
    elsewhere.push('concurrent_change', 'idempotency_in_flight', 'idempotency_mismatch');
    expect([...seen, ...elsewhere].toSorted()).toEqual(Object.keys(PROBLEMS).toSorted());
  });
});

test('a refusal of who proved itself is an event that names it', async () => {
  const answer = await authority.call('GET', '/v1/identities/nobody');
  expect(authority.log.events.at(-1)).toMatchObject({
    type: 'admin.refused',
    outcome: 'refused',
    identity: 'admin',
    method: 'GET',
    resource: '/v1/identities/nobody',
    reason: 'not_found',
    request_id: answer.requestId,
  });
});

test('the instance a caller says it is stands in the log for who proved itself, and not for a stranger', async () => {
  const headers = { 'Countersign-Instance': 'boot-7' };
  await authority.call('GET', '/v1/identities/nobody', { headers });
  expect(authority.log.events.at(-1)).toMatchObject({ reason: 'not_found', instance: 'boot-7' });
  await create(identityBody('named', { client_id: 'named' }), { headers });
  expect(authority.log.events.at(-1)).toMatchObject({ type: 'identity.created', instance: 'boot-7' });
  await authority.call('GET', '/v1/identities', { headers, token: 'a.b.c' });
  expect(authority.log.events.at(-1)).toMatchObject({ type: 'admin.refused', outcome: 'refused' });
  expect(authority.log.events.at(-1)?.instance).toBeUndefined();
});

test('a refusal of a stranger leaves by when its request came', async () => {
  const told: unknown[] = [];
  const strangers = { refused: async (...args: readonly unknown[]) => void told.push(args.slice(1)) };
  const requireAdmin = {
    authenticate: async (): Promise<never> => {
      authority.clock.advance(15);
      throw new TokenRefused('credential_unknown', new ProblemError('invalid_token'), 'somebody');
    },
    requireScopes: () => undefined,
  };
  const arrivedAt = authority.clock.now();
  const deps = { ...authority.deps, strangers, requireAdmin, idempotency: { once: () => Promise.reject() } };
  const endpoint = createEndpoint(deps, operations['identities.list'], {
    kind: 'read',
    run: () => Promise.reject(),
  });
  const request = {
    method: 'GET',
    path: '/v1/identities',
    query: '',
    rawHeaders: [],
    body: new Uint8Array(0),
  };
  await endpoint({ ...request, id: 'req_1', source: '192.0.2.1' }, {});
  expect(told).toEqual([['somebody', arrivedAt]]);
});

test('a change whose event the log refused is in the outbox, and the caller is told to come again', async () => {
  authority.log.fail(true);
  await create(identityBody('a', { client_id: 'a' }));
  expect(await authority.storage.identities.byClientId('a')).toBeDefined();
  expect(await authority.storage.outbox.pending(authority.clock.now(), 10)).toHaveLength(1);
});
