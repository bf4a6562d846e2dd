import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Authority, identityBody, openAuthority, START } from '../../../test/authority.ts';
import { createIssuancePace } from '../../registry/issuance-pace.ts';
import { identityRecord } from '../../storage/contract/records.ts';
import { StorageError } from '../../storage/errors.ts';
import type { FindingKind } from '../../storage/findings.ts';
import type { Job } from './job.ts';
import { lookForFindingsJob } from './look-for-findings.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const never = new AbortController().signal;

let authority: Authority;
let job: Job;
/** Called once, when the round has looked at the oldest of its identities. */
let meanwhile: () => Promise<void>;

beforeEach(async () => {
  authority = await openAuthority();
  let isFirst = true;
  meanwhile = () => Promise.resolve();
  job = lookForFindingsJob({
    ...authority.deps,
    pace: createIssuancePace(START),
    inactivity: 'suspend',
    suspendedForMs: 30 * DAY,
    pacer: {
      async breathe() {
        if (!isFirst) return;
        isFirst = false;
        await meanwhile();
      },
    },
  });
  await job.run(never);
  const body = identityBody('pay', { client_id: 'pay', environment: 'prod', expires_at: at(200) });
  expect((await authority.call('POST', '/v1/identities', { body })).status).toBe(201);
  // More than one page of them.
  for (let place = 0; place < 120; place++) {
    await authority.storage.identities.insert(identityRecord({ createdAt: START + 1000 + place }));
  }
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const at = (days: number): string => new Date(START + days * DAY).toISOString();

async function addSecret(): Promise<void> {
  const made = await authority.call('POST', '/v1/identities/pay/credentials', {
    body: { type: 'client_secret' },
  });
  expect(made.status, made.text).toBe(201);
}

async function found(kind: FindingKind): Promise<readonly string[]> {
  const { id } = (await authority.storage.identities.byClientId('pay')) ?? { id: '' };
  const { items } = await authority.storage.findings.list({ identityId: id, kind }, { limit: 100 });
  return items.map(({ state, reason }) => `${state}: ${reason}`);
}

test('who changes after its turn in a round is looked at before that ends', async () => {
  meanwhile = async () => {
    await addSecret();
    authority.clock.advance(5000);
  };
  await job.run(never);
  expect(await found('weak_method')).toHaveLength(1);
});

test('a policy that comes in the middle of a round is held against those who had their turn', async () => {
  await addSecret();
  meanwhile = async () => {
    const parameters = { methods: ['private_key_jwt'] };
    const body = { name: 'p', rule: 'methods_allowed', parameters, mode: 'report' };
    const made = await authority.call('POST', '/v1/policies', { body });
    expect(made.status, made.text).toBe(201);
  };
  await job.run(never);
  expect(await found('policy_breach')).toEqual([expect.stringContaining('open: ')]);
});

test('a round that the database broke off begins again after a minute', async () => {
  await addSecret();
  meanwhile = () => Promise.reject(new StorageError('unavailable', 'is away'));
  await expect(job.run(never)).rejects.toThrow('is away');
  authority.clock.advance(60_000);
  await job.run(never);
  expect(await found('weak_method')).toHaveLength(1);
});
