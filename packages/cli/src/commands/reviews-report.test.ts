import { expect, test } from 'vitest';
import { fakeAuthority, runAgainst } from '../../test/fake-authority.ts';

const AT = '2026-11-21T12:00:00.000Z';
const ITEM = {
  id: 'rvi_1',
  review: 'rvw_1',
  access: 'acs_1',
  version: 3,
  changed: true,
  client_id: 'payments',
  resource: 'https://fraud.test',
  environment: 'prod',
  owner: 'ada',
  scopes: ['read', 'write'],
  justification: '=HYPERLINK("http://evil.test")',
  requested_by: '+1',
  approved_by: null,
  expires_at: AT,
  access_state: 'active',
  reviewer: 'person:bea',
  fallback: 'role:reviewer',
  state: 'reduced',
  decided_by: 'bea',
  decided_at: AT,
  comment: '@SUM(1,2)',
  scopes_after: ['read'],
  remediation: { state: 'verified', reason: null, cutoff: 'cut_1', effective_at: AT },
  usage: {
    state: 'unknown',
    since: AT,
    coverage: 0.5,
    last_used: null,
    last_denied: null,
    scopes: [
      { scope: 'read', state: 'used', last_used: AT, last_denied: null, ok: 7, denied: 0, days: [] },
      { scope: 'write', state: 'unknown', last_used: null, last_denied: null, ok: 0, denied: 0, days: [] },
    ],
    unknown_because: { write: 'its resource server told of 50 % of this time only' },
  },
  created_at: AT,
  updated_at: AT,
};
const authority = () =>
  fakeAuthority({ 'GET /v1/reviews/rvw_1/report': { items: [ITEM], next_cursor: null, review: {} } });

test('the evidence is a sheet in which no cell is a formula', async () => {
  const { out, err, code } = await runAgainst(authority(), ['reviews', 'report', 'rvw_1']);
  expect(code, err).toBe(0);
  const [header, row, end] = out.split('\r\n');
  expect(header).toMatch(/^item,access,version,client_id,/);
  expect(row).toContain(
    `"'=HYPERLINK(""http://evil.test"")",'+1,,person:bea,reduced,bea,${AT},"'@SUM(1,2)",read`,
  );
  expect(row).toContain('read=7 write=0,write: its resource server told of 50 % of this time only,verified');
  expect(end).toBe('');
  expect(err).toContain('1 items.');
});

test('or one object a line', async () => {
  const { out } = await runAgainst(authority(), ['reviews', 'report', 'rvw_1', '--format', 'ndjson']);
  expect(JSON.parse(out)).toEqual(ITEM);
});

test('items show each scope with its use', async () => {
  const items = fakeAuthority({ 'GET /v1/reviews/rvw_1/items': { items: [ITEM], next_cursor: null } });
  const { out } = await runAgainst(items, ['reviews', 'items', 'rvw_1', '--state', 'reduced']);
  expect(out).toContain('read (used, 7 in all), write (unknown)');
  expect(items.asked[0]?.path).toContain('state=reduced');
});
