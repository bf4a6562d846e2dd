import { afterEach, beforeEach, expect, test } from 'vitest';
import type { IdempotencyRecord } from '../../storage/idempotency.ts';
import { type Answer, type Authority, identityBody, openAuthority } from '../../../test/authority.ts';

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const headers = { 'Idempotency-Key': 'k-1' };
const create = (body: unknown = identityBody('a')): Promise<Answer> =>
  authority.call('POST', '/v1/identities', { body, headers });

/** What is kept of the answer to this caller's key. */
const remembered = (principal: string): Promise<IdempotencyRecord | undefined> => {
  const key = authority.deps.secretHash.digest(JSON.stringify(['idempotency', principal, 'k-1']));
  return authority.storage.idempotency.find(principal, key, authority.clock.now());
};

test('a repeat gets the first answer, byte for byte, and makes nothing', async () => {
  const first = await create();
  const second = await create();
  expect(first.status).toBe(201);
  expect([second.status, second.text, second.headers]).toEqual([first.status, first.text, first.headers]);
  expect((await authority.call('GET', '/v1/identities?text=a-')).body.items).toHaveLength(1);
});

test('a secret that was shown once is shown to the repeat, and lies sealed in between', async () => {
  await authority.call('POST', '/v1/identities', { body: identityBody('a', { client_id: 'a' }) });
  const ask = { body: { type: 'client_secret' }, headers };
  const first = await authority.call('POST', '/v1/identities/a/credentials', ask);
  const second = await authority.call('POST', '/v1/identities/a/credentials', ask);
  expect(second.body.secret).toBe(first.body.secret);
  const kept = await remembered('admin');
  expect(kept?.response).not.toContain(first.body.secret);
  expect(Buffer.from(kept?.response.slice(3) ?? '', 'base64url').toString('latin1')).not.toContain('csk_');
});

test('the same key for another request is a mistake', async () => {
  await create();
  const other = await create(identityBody('b'));
  expect([other.status, other.body.code]).toEqual([422, 'idempotency_mismatch']);
});

test('keys of two callers never meet', async () => {
  const first = await create();
  await authority.call('POST', '/v1/identities/admin/credentials', { body: { type: 'client_secret' } });
  expect(await remembered('other')).toBeUndefined();
  expect(first.status).toBe(201);
});

test('of many at once one is carried out, the others are told to wait', async () => {
  const token = await authority.tokenFor('admin');
  const answers = await Promise.all(
    Array.from({ length: 10 }, () =>
      authority.call('POST', '/v1/identities', { body: identityBody('a'), headers, token }),
    ),
  );
  expect(answers.filter((each) => each.status === 201)).toHaveLength(1);
  expect(answers.filter((each) => each.body.code === 'idempotency_in_flight')).toHaveLength(9);
});

test('a refusal is not remembered', async () => {
  const body = identityBody('a', { client_id: 'a' });
  const { body: taken } = await authority.call('POST', '/v1/identities', { body });
  expect((await create(body)).status).toBe(409);
  expect(taken.client_id).toBe('a');
  expect(await remembered('admin')).toBeUndefined();
});

test('after a day the key is free again', async () => {
  await create(identityBody('a'));
  authority.clock.advance(86_400_001);
  expect((await create(identityBody('b'))).status).toBe(201);
});

test('a repeat after the log was down brings the event of the change first', async () => {
  authority.log.fail(true);
  expect((await create()).status).toBe(503);
  expect((await create()).status).toBe(503);
  authority.log.fail(false);
  const answer = await create();
  expect(answer.status).toBe(201);
  const told = authority.log.events.filter((event) => event.resource === answer.body.id);
  expect(told.map((event) => event.type)).toEqual(['identity.created']);
  expect(await authority.storage.outbox.pending(authority.clock.now(), 10)).toEqual([]);
});

test('a dry run remembers nothing', async () => {
  const dry = await authority.call('POST', '/v1/identities?dry_run=true', {
    body: identityBody('a'),
    headers,
  });
  expect(dry.body.dry_run).toBe(true);
  expect((await create()).status).toBe(201);
});
