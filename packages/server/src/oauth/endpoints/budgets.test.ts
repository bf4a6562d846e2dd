// Budgets of the token endpoint (RFC 6585 §4): what is used up says when to come back, and nobody is locked out.
import { formatBasicCredentials } from '@countersign/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import {
  addApiKey,
  changed,
  jsonOf,
  NOW,
  openTokenScene,
  type TokenScene,
} from '../../../test/token-scene.ts';
import { type BudgetLimits, createBudgets } from './budgets.ts';
import { TokenBuckets } from './token-buckets.ts';

const NONE: BudgetLimits = {
  issuanceQuota: undefined,
  enforced: true,
  apiKeyRate: 600,
  failureLimit: undefined,
};

let scene: TokenScene | undefined;
afterEach(async () => {
  expect(scene?.bugs ?? []).toEqual([]);
  await scene?.close();
  scene = undefined;
});

async function open(limits: Partial<BudgetLimits>): Promise<TokenScene> {
  scene = await openTokenScene({ budgets: createBudgets({ ...NONE, ...limits }) });
  return scene;
}

describe('a bucket', () => {
  it('gives so many at once, then one each time that one has come back', () => {
    const buckets = new TokenBuckets(6);
    const at = (ms: number): number => buckets.take('a', NOW + ms);
    expect([at(0), at(0), at(0), at(0), at(0), at(0), at(0)]).toEqual([0, 0, 0, 0, 0, 0, 10]);
    expect([at(9000), at(10_000), at(10_000), at(3_600_000)]).toEqual([1, 0, 10, 0]);
    expect(buckets.take('b', NOW)).toBe(0);
  });

  it('loses nothing to a clock that is set back', () => {
    const buckets = new TokenBuckets(1);
    expect([
      buckets.take('a', NOW),
      buckets.take('a', NOW - 1e9),
      buckets.take('a', NOW - 1e9 + 60_000),
    ]).toEqual([0, 60, 0]);
  });

  it('is one of a bounded number', () => {
    const buckets = new TokenBuckets(1, 100);
    for (let i = 0; i < 1000; i++) buckets.take(`key ${i}`, NOW);
    expect(buckets.size).toBe(100);
  });
});

describe('the quota of an identity', () => {
  it('refuses with 429 and the time to wait, and lets through once it has passed', async () => {
    const { ask, clock, log } = await open({ issuanceQuota: 2 });
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    const refused = await ask();
    expect([refused.status, jsonOf(refused).error, refused.headers['retry-after']]).toEqual([
      429,
      'temporarily_unavailable',
      '30',
    ]);
    expect(log.events.at(-1)).toMatchObject({ identity: 'payments', reason: 'issuance_quota_exceeded' });
    clock.set(NOW + 30_000);
    expect((await ask()).status).toBe(200);
  });

  it('only counts while it is observed', async () => {
    const budgets = createBudgets({ ...NONE, issuanceQuota: 1, enforced: false });
    scene = await openTokenScene({ budgets });
    for (let i = 0; i < 5; i++) expect((await scene.ask()).status).toBe(200);
    expect(budgets.overQuota).toBe(4);
  });

  it('is not used up by strangers who name its client', async () => {
    const { ask } = await open({ issuanceQuota: 1 });
    for (let i = 0; i < 5; i++) {
      expect((await ask('', { authorization: formatBasicCredentials('payments', 'x') })).status).toBe(401);
    }
    expect((await ask()).status).toBe(200);
  });
});

it('an API key has its own rate, which leaves the other credentials of its identity alone', async () => {
  const opened = await open({ apiKeyRate: 1 });
  await opened.storage.identities.replace(changed(opened.identity, { environment: 'test' }));
  const [one, other] = [await addApiKey(opened), await addApiKey(opened)];
  const withKey = (key: string) => opened.ask('', { authorization: null, headers: ['X-API-Key', key] });
  expect((await withKey(one)).status).toBe(200);
  const refused = await withKey(one);
  expect([refused.status, refused.headers['retry-after']]).toEqual([429, '60']);
  expect([(await withKey(other)).status, (await opened.ask()).status]).toEqual([200, 200]);
});

describe('threat 11: failures of others', () => {
  it('are answered with 429 beyond the limit, alike for clients that exist and that do not', async () => {
    const { ask } = await open({ failureLimit: 2 });
    const answers = [];
    for (const id of ['payments', 'nobody']) {
      const wrong = { authorization: formatBasicCredentials(id, 'x') };
      expect([(await ask('', wrong)).status, (await ask('', wrong)).status]).toEqual([401, 401]);
      answers.push(await ask('', wrong));
    }
    expect(answers[0]?.status).toBe(429);
    expect(answers[0]?.headers['retry-after']).toBe('30');
    expect(answers[1]).toEqual(answers[0]);
  });

  it('count together for what can be no client: its texts are not kept, however long they are', async () => {
    const { ask } = await open({ failureLimit: 1 });
    const claim = (id: string) => ask(`client_id=${id}&client_secret=x`, { authorization: null });
    expect((await claim('a'.repeat(60_000))).status).toBe(401);
    expect((await claim('b'.repeat(129))).status).toBe(429);
    expect((await claim('b'.repeat(128))).status).toBe(401);
  });

  it('count for the API key that is guessed, whatever client_id stands beside each guess', async () => {
    const opened = await open({ failureLimit: 1 });
    const key = await addApiKey(opened, {}, { state: 'suspended' });
    const guess = (named: string) =>
      opened.ask(`client_id=${named}`, { authorization: null, headers: ['X-API-Key', key] });
    expect((await guess('payments')).status).toBe(401);
    expect((await guess('billing')).status).toBe(429);
  });

  it('never keep a rightful client out, not even from the same address', async () => {
    const { ask } = await open({ failureLimit: 1 });
    for (let i = 0; i < 20; i++) await ask('', { authorization: formatBasicCredentials('payments', 'x') });
    expect((await ask()).status).toBe(200);
  });

  it('do not count for a client that tries the header first and then the body', async () => {
    const { ask, secret } = await open({ failureLimit: 10 });
    expect((await ask('', { authorization: 'Basic eDp5' })).status).toBe(401);
    expect((await ask(`client_id=payments&client_secret=${secret}`, { authorization: null })).status).toBe(
      200,
    );
  });
});
