import { expect, test } from 'vitest';
import type { ReviewItemNow } from '../../storage/review-items.ts';
import { mostWithin, QualityCount } from './quality.ts';

const AT = 1_800_000_000_000;

function item(
  change: Partial<ReviewItemNow> & { readonly use?: string; readonly person?: string },
): ReviewItemNow {
  const { use = 'used', person = 'ada', ...rest } = change;
  return {
    id: 'rvi_1',
    reviewId: 'rvw_1',
    accessId: 'acs_1',
    accessVersion: 1,
    identityId: 'idn_1',
    resourceServerId: 'rsv_1',
    requesters: [],
    reviewer: 'role:reviewer',
    fallback: 'role:reviewer',
    handedOn: 0,
    state: 'kept',
    verdict: {
      person,
      issuer: person === 'countersign' ? undefined : 'https://people.test',
      subject: person,
      roles: [],
      comment: undefined,
      scopesBefore: ['read', 'write'],
      scopesAfter: ['read', 'write'],
      use: { state: use },
    },
    decidedAt: AT,
    remediation: 'none',
    remediationReason: undefined,
    cutoffId: undefined,
    effectiveAt: undefined,
    checkAt: undefined,
    createdAt: AT,
    updatedAt: AT,
    version: 2,
    now: { version: 1, state: 'active', scopes: ['read', 'write'] },
    ...rest,
  };
}

function qualityOf(items: readonly ReviewItemNow[]) {
  const count = new QualityCount();
  for (const each of items) count.add(each);
  return count.result();
}

test('twenty decisions within a minute are bulk, whatever the order in which they are read', () => {
  const at = (seconds: number) => item({ decidedAt: AT + seconds * 1000 });
  const fast = Array.from({ length: 20 }, (_, place) => at(place * 3)).reverse();
  expect(qualityOf(fast)).toMatchObject([{ most_in_a_minute: 20, bulk: true, median_seconds: 3 }]);
  expect(qualityOf(fast.slice(1))).toMatchObject([{ most_in_a_minute: 19, bulk: false }]);
});

test('a pause says nothing of how long somebody looked', () => {
  const times = [0, 10_000, 10_000 + 1_800_000, 10_000 + 1_830_000].map((ms) => item({ decidedAt: AT + ms }));
  expect(qualityOf(times)).toMatchObject([{ median_seconds: 10 }]);
  expect(qualityOf([item({})])).toMatchObject([{ median_seconds: null, share_kept: 1 }]);
});

test('keeps of what was not used, and of what nobody knows of, are told apart', () => {
  const [row] = qualityOf([
    item({ use: 'unused' }),
    item({ use: 'unknown' }),
    item({}),
    item({ state: 'revoked' }),
  ]);
  expect(row).toMatchObject({ decisions: 4, kept: 3, share_kept: 0.75, kept_unused: 1, kept_unknown: 1 });
});

test('what was kept and taken away after all is a reversal; an end that came, or one scope more, is none', () => {
  const now = (state: ReviewItemNow['now']['state'], scopes = ['read', 'write']) =>
    item({ now: { version: 2, state, scopes } });
  const reversed = (each: ReviewItemNow) => qualityOf([each])[0]?.reversed;
  expect(reversed(now('revoked'))).toBe(1);
  expect(reversed(now('suspended'))).toBe(1);
  expect(reversed(now('active', ['read']))).toBe(1);
  expect(reversed(now('active', ['read', 'write', 'more']))).toBe(0);
  expect(reversed(now('expired'))).toBe(0);
});

test('what nobody decided is nobody’s work', () => {
  expect(
    qualityOf([
      item({ person: 'countersign', state: 'silent' }),
      item({ state: 'pending', verdict: undefined }),
    ]),
  ).toEqual([]);
});

test('the most within a span are found by the widest window that fits', () => {
  expect(mostWithin([], 10)).toBe(0);
  expect(mostWithin([0, 5, 10, 11, 12, 40], 10)).toBe(4);
});
