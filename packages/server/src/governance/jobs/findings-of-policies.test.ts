import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  accessBody,
  type Authority,
  identityBody,
  openAuthority,
  resourceServerBody,
  START,
} from '../../../test/authority.ts';
import { createIssuancePace } from '../../registry/issuance-pace.ts';
import { identityRecord } from '../../storage/contract/records.ts';
import type { FindingRecord } from '../../storage/findings.ts';
import type { Job } from './job.ts';
import { lookForFindingsJob } from './look-for-findings.ts';
import { suspendInactiveJob } from './suspend-inactive.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const PAY = 'https://pay.test';
const never = new AbortController().signal;
const any = { headers: { 'If-Match': '*' } };

let authority: Authority;
let job: Job;
beforeEach(async () => {
  authority = await openAuthority();
  const { deps } = authority;
  const pace = createIssuancePace(START);
  job = lookForFindingsJob({ ...deps, pace, inactivity: 'suspend', suspendedForMs: 30 * DAY });
  await job.run(never);
  await make(
    '/v1/identities',
    identityBody('pay', { client_id: 'pay', environment: 'prod', expires_at: at(400) }),
  );
  await make('/v1/resource-servers', resourceServerBody(PAY, ['create', 'approve', 'read']));
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const at = (days: number): string => new Date(START + days * DAY).toISOString();

async function make(path: string, body: unknown, token?: string) {
  const answer = await authority.call('POST', path, { body, ...(token === undefined ? {} : { token }) });
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
}
const declare = (policy: object) => make('/v1/policies', { name: 'p', ...policy });
const except = async (days: number) =>
  make(
    '/v1/policy-exceptions',
    { policy: 'p', identity: 'pay', reason: 'x', expires_at: at(days) },
    await authority.personToken('moe', ['approver']),
  );

/** Everybody is looked at within the hour. */
async function round(): Promise<void> {
  authority.clock.advance(HOUR);
  await job.run(never);
}

async function found(kind: FindingRecord['kind'], clientId = 'pay'): Promise<readonly FindingRecord[]> {
  const { id } = (await authority.storage.identities.byClientId(clientId)) ?? { id: '' };
  const { items } = await authority.storage.findings.list({ identityId: id, kind }, { limit: 100 });
  return items.filter(({ state }) => state !== 'resolved');
}

test.each([
  ['off', []],
  ['report', ['low']],
  ['warn', ['medium']],
  ['enforce', ['high']],
])('what breaks a policy in mode %s is a finding: %j', async (mode, severities) => {
  await make('/v1/identities/pay/credentials', { type: 'client_secret' });
  await declare({ rule: 'methods_allowed', parameters: { methods: ['private_key_jwt'] }, mode });
  await round();
  const findings = await found('policy_breach');
  expect(findings.map(({ severity }) => severity)).toEqual(severities);
  for (const { subject, reason, fix } of findings) {
    expect(subject).toBe('credential');
    expect(reason).toContain(`breaks the policy "p" (methods_allowed, ${mode}): is a client_secret in prod`);
    expect(fix).toContain('countersign credentials create pay --type private_key_jwt');
  }
});

test('a policy that comes or changes is heard of within seconds, by everybody', async () => {
  await round();
  const { id } = await declare({ rule: 'owner_required', parameters: { team: true, backup: false } });
  await make('/v1/identities', identityBody('alone', { client_id: 'alone', owner: { person: 'ada' } }));
  authority.clock.advance(5000);
  await job.run(never);
  expect(await found('policy_breach', 'alone')).toHaveLength(1);
  const ada = await authority.personToken('ada', ['admin']);
  const body = { parameters: { team: false, backup: false } };
  await authority.call('PATCH', `/v1/policies/${id}`, { ...any, body, token: ada });
  authority.clock.advance(5000);
  await job.run(never);
  expect(await found('policy_breach', 'alone')).toEqual([]);
});

test('what two policies find of one thing is one finding, with both reasons and the fix of the worse', async () => {
  const access = await make(
    '/v1/access',
    accessBody('pay', PAY, ['create', 'approve'], { expires_at: at(300) }),
  );
  await declare({ rule: 'lifetime_ceiling', parameters: { access: '90d' } });
  const pairs = [{ one: { scope: 'create' }, other: { scope: 'approve' } }];
  await declare({ name: 'duties', rule: 'separation_of_duties', parameters: { pairs }, mode: 'enforce' });
  await round();
  const [finding, ...more] = await found('policy_breach');
  expect(more).toEqual([]);
  expect(finding).toMatchObject({ subjectId: access.id, severity: 'high' });
  expect(finding?.reason).toContain('ends later than in 90d');
  expect(finding?.reason).toContain('holds create together with approve');
  expect(finding?.fix).toBe(`countersign access update ${access.id} --scopes approve`);
});

test('an exception hushes it, is a finding before and at its end, and the breach is one again after it', async () => {
  await make('/v1/access', accessBody('pay', PAY, ['read'], { expires_at: at(300) }));
  await declare({ rule: 'lifetime_ceiling', parameters: { access: '90d' }, mode: 'warn' });
  await except(29);
  await round();
  expect([await found('policy_breach'), await found('policy_exception_ending')]).toEqual([[], []]);
  authority.clock.advance(16 * DAY);
  await round();
  expect(await found('policy_breach')).toEqual([]);
  const [ending] = await found('policy_exception_ending');
  expect(ending).toMatchObject({ subject: 'identity', severity: 'medium' });
  expect(ending?.reason).toContain(`its exception from the policy "p" ends on ${at(29).slice(0, 10)}`);
  authority.clock.advance(14 * DAY);
  await round();
  expect(await found('policy_breach')).toHaveLength(1);
  expect((await found('policy_exception_ending'))[0]?.reason).toContain('ended on');
  authority.clock.advance(15 * DAY);
  await round();
  expect(await found('policy_exception_ending')).toEqual([]);
});

test('an enforced policy suspends who is inactive although the deployment only reports, and no one excepted', async () => {
  const sweep = suspendInactiveJob({ ...authority.deps, inactivity: 'report' });
  await sweep.run(never);
  const pass = async (): Promise<void> => {
    authority.clock.advance(DAY);
    await sweep.run(never);
  };
  const stateOf = async () => (await authority.storage.identities.byClientId('pay'))?.state;
  for (let day = 0; day < 41; day++) await pass();
  expect(await stateOf()).toBe('active');
  const policy = { name: 'p', rule: 'inactivity', parameters: { after: '40d' }, mode: 'enforce' };
  await authority.changes.run({ identity: 'countersign' }, async (stores) => {
    await stores.policies.insert({
      ...policy,
      id: 'pol_00000000000000000001',
      rule: 'inactivity',
      mode: 'enforce',
      match: {},
      tests: [],
      state: 'active',
      createdAt: START,
      updatedAt: START,
      version: 1,
    });
    const identity = await stores.identities.byClientId('pay');
    await stores.policyExceptions.insert({
      id: 'pex_00000000000000000001',
      policyId: 'pol_00000000000000000001',
      identityId: identity?.id ?? '',
      reason: 'x',
      approvedBy: 'moe',
      expiresAt: START + 44 * DAY,
      state: 'active',
      createdAt: START,
      updatedAt: START,
      version: 1,
    });
  });
  await pass();
  expect(await stateOf()).toBe('active');
  for (let day = 0; day < 3; day++) await pass();
  expect(await stateOf()).toBe('suspended');
});

test('a round over many turns the event loop for each, and reads the policies once', async () => {
  for (let made = 0; made < 300; made++) {
    await authority.storage.identities.insert(
      identityRecord({ owner: { person: 'ada', backup: undefined, team: undefined }, createdAt: START }),
    );
  }
  await declare({ rule: 'owner_required' });
  await round();
  const reads = vi.spyOn(authority.storage.policies, 'active');
  let turns = 0;
  let running = true;
  authority.clock.advance(HOUR);
  const ticking = (async () => {
    while (running) {
      await turn();
      turns++;
    }
  })();
  await job.run(never);
  running = false;
  await ticking;
  expect(reads).toHaveBeenCalledTimes(1);
  expect(turns).toBeGreaterThan(50);
});
