import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Authority, identityBody, openAuthority } from '../../../test/authority.ts';
import { tellCredentialEndsJob } from './tell-credential-ends.ts';

const DAY = 86_400_000;

let authority: Authority;
let made = 0;
beforeAll(async () => {
  authority = await openAuthority();
});
afterAll(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

/** Of a person: what the first start made for the host ends long before these tests do. */
async function call(
  method: string,
  target: string,
  ask: { body: unknown; headers?: Record<string, string> },
) {
  const token = await authority.personToken('pat', ['admin']);
  const answer = await authority.call(method, target, { ...ask, token });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer;
}

async function credential(days: number): Promise<string> {
  const client_id = `ending-${++made}`;
  const expires_at = new Date(authority.clock.now() + 300 * DAY).toISOString();
  await call('POST', '/v1/identities', { body: identityBody('x', { client_id, expires_at }) });
  const answer = await call('POST', `/v1/identities/${client_id}/credentials`, {
    body: { type: 'client_secret', expires_at: new Date(authority.clock.now() + days * DAY).toISOString() },
  });
  return answer.body.id;
}

const look = (thresholds: readonly number[] = [30, 7, 1]) =>
  tellCredentialEndsJob({ ...authority.deps, credentialExpiring: thresholds }).run(
    new AbortController().signal,
  );

/** Days as they were told of it, in turn. */
const told = (id: string) =>
  authority.log.events
    .filter(({ type, resource }) => type === 'credential.expiring' && resource === id)
    .map(({ detail }) => JSON.parse(detail ?? '{}').after.days);

test('each threshold is told once, however often it is looked at, and by however many nodes', async () => {
  const id = await credential(60);
  for (let day = 0; day < 60; day++) {
    await Promise.all([look(), look()]);
    authority.clock.advance(DAY);
  }
  await look();
  expect(told(id)).toEqual([30, 7, 1]);
});

test('of several that are passed at once only the last is told, and none as long as its whole life', async () => {
  const [late, short] = [await credential(60), await credential(7)];
  authority.clock.advance(55 * DAY);
  await look();
  expect(told(late)).toEqual([7]);
  expect(told(short)).toEqual([]);
  const week = await credential(6);
  await look();
  expect(told(week)).toEqual([]);
  authority.clock.advance(5.5 * DAY);
  await look();
  expect(told(week)).toEqual([1]);
});

test('an end that was put off is told anew; one that has a successor is not told at all', async () => {
  const [id, rotated] = [await credential(40), await credential(40)];
  authority.clock.advance(15 * DAY);
  await call('POST', `/v1/credentials/${rotated}/rotate`, { body: {} });
  await look();
  expect(told(id)).toEqual([30]);
  expect(told(rotated)).toEqual([]);
  const expires_at = new Date(authority.clock.now() + 60 * DAY).toISOString();
  await call('PATCH', `/v1/credentials/${id}`, {
    body: { expires_at },
    headers: { 'If-Match': '*' },
  });
  await look();
  authority.clock.advance(31 * DAY);
  await look();
  expect(told(id)).toEqual([30, 30]);
});

test('a backlog is told in pages', async () => {
  const ids: string[] = [];
  for (let at = 0; at < 12; at++) ids.push(await credential(20 + at / 100));
  authority.clock.advance(14 * DAY);
  await look([7]);
  expect(ids.flatMap(told)).toEqual(ids.map(() => 7));
});
