import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Authority, openAuthority, resourceServerBody } from '../../../test/authority.ts';
import { forgetUseJob } from './forget-use.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const never = new AbortController().signal;

let authority: Authority;
let resourceServerId: string;

beforeEach(async () => {
  authority = await openAuthority();
  const made = await authority.call('POST', '/v1/resource-servers', {
    body: resourceServerBody('https://fraud.test', ['read']),
  });
  resourceServerId = made.body.id;
});
afterEach(async () => await authority.close());

test('a start is forgotten when none of its reports could come any more; what it left unseen is not', async () => {
  const { usageReporters, coverage, identities } = authority.storage;
  const admin = await identities.byClientId('admin');
  const at = authority.clock.now();
  const reporter = (boot: string, change: object = {}) => ({
    resourceServerId,
    instance: 'pod',
    boot,
    identityId: admin?.id ?? '',
    upto: 1,
    beyond: [],
    toldUntil: at,
    ended: false,
    receivedAt: at,
    createdAt: at,
    ...change,
  });
  await usageReporters.put(reporter('silent'));
  await usageReporters.put(reporter('ended', { ended: true, toldUntil: at - 5 * DAY }));
  const job = forgetUseJob(authority.deps);
  authority.clock.advance(8 * DAY);
  await job.run(never);
  expect(await usageReporters.count(resourceServerId)).toBe(2);
  authority.clock.advance(1);
  await job.run(never);
  expect(await usageReporters.count(resourceServerId)).toBe(0);
  const missed = async () =>
    (await coverage.spans([resourceServerId], { from: 0, to: at + 9 * DAY })).map(({ from, to }) => ({
      from,
      to,
    }));
  expect(await missed()).toEqual([{ from: at, to: at + HOUR }]);
  authority.clock.advance(400 * DAY);
  await job.run(never);
  expect(await missed()).toEqual([]);
});
