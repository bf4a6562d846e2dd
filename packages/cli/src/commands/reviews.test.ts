import { expect, test } from 'vitest';
import { fakeAuthority, runAgainst } from '../../test/fake-authority.ts';

const CREATE = [
  'reviews',
  'create',
  '--name',
  'spring',
  '--reviewers',
  'backup',
  '--due-at',
  '30d',
  '--dry-run',
];
const foreseen = (review: object): object => ({ dry_run: true, changes: [], review });
const OUTLOOK = {
  items: 12,
  too_many: false,
  assigned: 12,
  unused: 3,
  to_fallback: 2,
  reviewers: [
    { reviewer: 'person:bea', items: 10 },
    { reviewer: 'role:reviewer', items: 2 },
  ],
};

test('the dry run of a review says how much there is to decide, who is asked, and what goes to the fallback', async () => {
  const authority = fakeAuthority({ 'POST /v1/reviews': foreseen(OUTLOOK) });
  const { code, out } = await runAgainst(authority, CREATE);
  expect(code).toBe(0);
  expect(out).toBe(`Nothing to change.

12 accesses to decide on, 3 of them known not to be used.
REVIEWER       ITEMS
person:bea     10
role:reviewer  2
2 go to the fallback: who was to be asked may not decide, or is nobody.
`);
});

test('a review that is too large, or about nothing, is told so before it is planned', async () => {
  const many = { ...OUTLOOK, items: 100_001, too_many: true, assigned: 10_000, to_fallback: 0 };
  const large = await runAgainst(fakeAuthority({ 'POST /v1/reviews': foreseen(many) }), CREATE);
  expect(large.out).toContain('More than 100000 accesses match: it would not start. Narrow the query.\n');
  expect(large.out).toContain('Of the first 10000:\n');
  const none = { ...OUTLOOK, items: 0, assigned: 0, unused: 0, to_fallback: 0, reviewers: [] };
  const empty = await runAgainst(fakeAuthority({ 'POST /v1/reviews': foreseen(none) }), CREATE);
  expect(empty.out).toContain('\nNo active access matches.\n');
});

test('the dry run of a decision shows what becomes of the item, without the evidence that is kept of it', async () => {
  const change = {
    op: 'update',
    kind: 'ReviewItem',
    name: 'acs_1',
    before: { state: 'pending' },
    after: { state: 'kept', verdict: { person: 'bea', use: { scopes: [] } } },
    fields: ['state', 'verdict'],
  };
  const authority = fakeAuthority({
    'POST /v1/reviews/rvw_1/decisions': { dry_run: true, changes: [change] },
  });
  const decide = ['reviews', 'decide', 'rvw_1', '--item', 'rvi_1', '--version', '1', '--decision', 'keep'];
  const { out } = await runAgainst(authority, [...decide, '--dry-run']);
  expect(out).toBe('~ ReviewItem acs_1\n    state: pending → kept\n0 to add, 1 to change, 0 to end.\n');
});
