import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Authority, identityBody, openAuthority } from '../../../test/authority.ts';

const DAY = 86_400_000;
let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

test('exceptions of which documents do not speak are not pruned: those that are over, and those of who has ended', async () => {
  const { call, clock } = authority;
  const policy = { name: 'short', rule: 'lifetime_ceiling', parameters: { access: '30d' }, mode: 'report' };
  expect((await call('POST', '/v1/policies', { body: policy })).status).toBe(201);
  const token = await authority.personToken('chief', ['approver']);
  for (const [name, days] of [
    ['over', 1],
    ['ended', 60],
    ['living', 60],
  ] as const) {
    const made = await call('POST', '/v1/identities', { body: { ...identityBody(name), client_id: name } });
    expect(made.status, made.text).toBe(201);
    const expires_at = new Date(clock.now() + days * DAY).toISOString();
    const body = { policy: 'short', identity: name, reason: 'moves', expires_at };
    const excepted = await call('POST', '/v1/policy-exceptions', { token, body });
    expect(excepted.status, excepted.text).toBe(201);
  }
  await call('POST', '/v1/identities/ended/decommission', { body: { reason: 'over', now: true } });
  clock.advance(2 * DAY);
  const admin = await authority.tokenFor('admin');
  const { body } = await call('GET', '/v1/export', { token: admin });
  const kinds = body.documents.filter((each: { kind: string }) => each.kind === 'PolicyException');
  expect(kinds).toHaveLength(1);
  const applied = await call('POST', '/v1/apply', {
    token: admin,
    body: { documents: body.documents, prune: true },
  });
  expect(applied.body.changes, applied.text).toEqual([]);
});
