import { expect, test } from 'vitest';
import { fakeAuthority, runAgainst } from '../../test/fake-authority.ts';

const STORY = {
  request_id: 'req_1',
  summary: 'payments asked for a token and was refused.',
  why: 'The identity is suspended.',
  fix: 'countersign identities resume payments --reason …',
  identity: {
    client_id: 'payments',
    state: 'suspended',
    expires_at: '2027-02-19T12:00:00.000Z',
    state_reason: 'leaked\u001b[2J',
  },
  events: [
    {
      seq: 9,
      id: 'evt_1',
      at: '2026-11-21T12:00:00.000Z',
      type: 'token.refused',
      outcome: 'refused',
      reason: 'identity_suspended',
    },
  ],
};
const authority = fakeAuthority({ 'GET /v1/explain/req_1': STORY });

test('the story is what happened, why, the fix, the identity as it is now and the events', async () => {
  const { code, out } = await runAgainst(authority, ['explain', 'req_1']);
  expect(code).toBe(0);
  expect(out).toBe(`what      payments asked for a token and was refused.
why       The identity is suspended.
fix       countersign identities resume payments --reason …
identity  payments, suspended (leaked\\x1b[2J), until 2027-02-19T12:00:00.000Z
event     2026-11-21T12:00:00.000Z token.refused refused identity_suspended
`);
});

test('as JSON it is complete', async () => {
  expect(JSON.parse((await runAgainst(authority, ['explain', 'req_1', '-o', 'json'])).out)).toEqual(STORY);
});

test('an unknown request is not found (3); without one it is a usage error (2)', async () => {
  expect((await runAgainst(authority, ['explain', 'req_2'])).code).toBe(3);
  expect((await runAgainst(authority, ['explain'])).code).toBe(2);
});
