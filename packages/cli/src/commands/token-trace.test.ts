import { tokenTrace } from '@countersign/admin-api';
import { expect, test } from 'vitest';
import { fakeAuthority, runAgainst } from '../../test/fake-authority.ts';

const AT = '2026-11-21T12:00:00.000Z';
const TOKEN = {
  jti: 'jti-b',
  issued_at: AT,
  expires_at: '2026-11-21T12:10:00.000Z',
  identity: 'fraud-api',
  subject: 'payments',
  credential: 'crd_1',
  access: 'acs_1',
  resource_server: 'https://ledger.test',
  scopes: ['read'],
  scopes_asked: ['read'],
  method: 'client_secret_basic',
  source: '192.0.2.7',
  instance: null,
  parent: 'jti-a',
};
const TRACE = {
  token: TOKEN,
  cut_off_at: '2026-11-21T12:05:00.000Z',
  before: [
    { ...TOKEN, jti: 'jti-a', identity: 'payments', resource_server: 'https://fraud.test', parent: null },
  ],
  after: [],
  identity: {
    id: 'idn_1',
    client_id: 'fraud-api',
    state: 'active',
    owner: { person: 'ada', backup: 'bea', team: null },
    expires_at: AT,
    version: 1,
  },
  access: {
    id: 'acs_1',
    version: 2,
    state: 'active',
    scopes: ['read'],
    justification: 'is needed\u001b[2J',
    requested_by: 'admin',
    approved_by: 'eve',
    approved_at: AT,
    approvals: [
      {
        decision: 'approve',
        person: 'eve',
        issuer: 'https://people.test',
        subject: 's',
        comment: 'fine',
        content_hash: 'f',
        at: AT,
      },
    ],
    expires_at: AT,
  },
  credential: {
    id: 'crd_1',
    type: 'client_secret',
    label: 'l',
    made_by: 'admin',
    created_at: AT,
    state_now: 'active',
  },
  use: {
    state: 'used',
    since: AT,
    until: AT,
    scopes: [{ scope: 'read', state: 'used', last_used: AT, last_denied: null, ok: 1, denied: 0 }],
  },
  rows: [
    {
      at: AT,
      stage: 'token',
      what: 'exchanged a token',
      who: 'fraud-api',
      event: { seq: 9, id: 'jti-b', type: 'token.issued', request_id: 'req_1' },
    },
    { at: AT, stage: 'use', what: 'last let through read', who: 'https://ledger.test', event: null },
  ],
  complete: false,
  notes: ['Use is counted by credential.'],
};
const authority = fakeAuthority({ 'GET /v1/tokens/jti-b/trace': TRACE });

test('the story is who, what and when, then the rows; what it cannot say is on stderr', async () => {
  expect(tokenTrace.parse(TRACE)).toEqual(TRACE);
  const { code, out, err } = await runAgainst(authority, ['tokens', 'trace', 'jti-b']);
  expect(code).toBe(0);
  expect(out).toBe(`token       jti-b: fraud-api for payments at https://ledger.test, read
lived       2026-11-21T12:00:00.000Z until 2026-11-21T12:10:00.000Z, cut off at 2026-11-21T12:05:00.000Z
identity    fraud-api, active then, of ada (bea)
access      acs_1 version 2, read, asked for by admin, approved by eve: is needed\\x1b[2J
approval    eve: approve at 2026-11-21T12:00:00.000Z (fine)
credential  crd_1, client_secret, made by admin, now active
came from   jti-a: payments at https://fraud.test, read
use         read: used, last 2026-11-21T12:00:00.000Z

SEQ  AT                        STAGE  WHO                  WHAT
9    2026-11-21T12:00:00.000Z  token  fraud-api            exchanged a token
-    2026-11-21T12:00:00.000Z  use    https://ledger.test  last let through read
`);
  expect(err).toContain('countersign audit events');
  expect(err).toContain('counted by credential');
});

test('as JSON it is complete; an unknown token is not found (3)', async () => {
  const { out } = await runAgainst(authority, ['token', 'trace', 'jti-b', '-o', 'json']);
  expect(JSON.parse(out)).toEqual(TRACE);
  expect((await runAgainst(authority, ['token', 'trace', 'jti-x'])).code).toBe(3);
});
