// Declared policies in the token path: RFC 6749 §5.2, access_denied where one is enforced.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { changed, jsonOf, NOW, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import type { PolicyRecord } from '../../storage/policies.ts';
import { freshId, T0 } from '../../storage/contract/records.ts';

const DAY = 86_400_000;

let scene: TokenScene;
beforeEach(async () => {
  scene = await openTokenScene();
});
afterEach(async () => {
  expect(scene.bugs).toEqual([]);
  await scene.close();
});

const policyRecord = (change: Partial<PolicyRecord> = {}): PolicyRecord => ({
  id: freshId('pol'),
  name: 'no secrets',
  rule: 'methods_allowed',
  parameters: { methods: ['private_key_jwt'] },
  mode: 'enforce',
  match: { environments: ['prod'] },
  tests: [],
  state: 'active',
  createdAt: T0,
  updatedAt: T0,
  version: 1,
  ...change,
});

test.each([
  ['off', 200],
  ['report', 200],
  ['warn', 200],
  ['enforce', 400],
] as const)('in mode %s a token is answered with %i', async (mode, status) => {
  await scene.storage.policies.insert(policyRecord({ mode }));
  expect((await scene.ask()).status).toBe(status);
});

test('the log says which policy refused, by which rule and why; the caller only that one did', async () => {
  await scene.storage.policies.insert(policyRecord());
  const answer = await scene.ask();
  expect(jsonOf(answer)).toEqual({
    error: 'access_denied',
    error_description: 'a policy of this authority does not allow it',
  });
  const [event] = scene.log.events;
  expect(event).toMatchObject({ type: 'token.refused', reason: 'policy_enforced', identity: 'payments' });
  expect(JSON.parse(event?.detail ?? '')).toMatchObject({ policy: 'no secrets', rule: 'methods_allowed' });
});

test('a policy that comes, changes or goes is heard of at the next token, and costs the ones between no reading', async () => {
  expect((await scene.ask()).status).toBe(200);
  const record = policyRecord();
  await scene.storage.policies.insert(record);
  expect((await scene.ask()).status).toBe(400);
  const reads = [
    vi.spyOn(scene.storage.policies, 'active'),
    vi.spyOn(scene.storage.policyExceptions, 'ofIdentity'),
    vi.spyOn(scene.storage.identities, 'byClientId'),
  ];
  for (let asked = 0; asked < 5; asked++) expect((await scene.ask()).status).toBe(400);
  for (const read of reads) expect(read).not.toHaveBeenCalled();
  await scene.storage.policies.replace(changed(record, { state: 'deleted' }));
  expect((await scene.ask()).status).toBe(200);
});

test('an exception lets it through until its end, by the clock alone', async () => {
  const policy = policyRecord();
  await scene.storage.policies.insert(policy);
  await scene.storage.policyExceptions.insert({
    id: freshId('pex'),
    policyId: policy.id,
    identityId: scene.identity.id,
    reason: 'moves',
    approvedBy: 'ada',
    expiresAt: NOW + DAY,
    state: 'active',
    createdAt: T0,
    updatedAt: T0,
    version: 1,
  });
  expect((await scene.ask()).status).toBe(200);
  scene.clock.set(NOW + DAY - 1);
  expect((await scene.ask()).status).toBe(200);
  scene.clock.set(NOW + DAY);
  expect((await scene.ask()).status).toBe(400);
});

test('an age is reached while the facts stay where they are', async () => {
  const age = { rule: 'credential_age', parameters: { max_age: '2d' } } as const;
  await scene.storage.policies.insert(policyRecord(age));
  expect((await scene.ask()).status).toBe(200);
  scene.clock.set(scene.credential.createdAt + 2 * DAY + 1);
  expect((await scene.ask()).status).toBe(400);
});

test('a ceiling shortens tokens and refuses none', async () => {
  const ceiling = { rule: 'lifetime_ceiling', parameters: { token: '2m' } } as const;
  await scene.storage.policies.insert(policyRecord(ceiling));
  expect(jsonOf(await scene.ask())).toMatchObject({ expires_in: 120 });
});

test('what is part of the authority itself is never refused', async () => {
  await scene.storage.identities.replace(changed(scene.identity, { builtIn: true }));
  await scene.storage.policies.insert(policyRecord());
  expect((await scene.ask()).status).toBe(200);
});

test('a policy that is enforced while a token is signed: it is refused once, and audited once', async () => {
  const record = policyRecord({ mode: 'report' });
  await scene.storage.policies.insert(record);
  const { keystore } = scene.deps;
  const sign = keystore.sign.bind(keystore);
  vi.spyOn(keystore, 'sign').mockImplementationOnce(async (...asked) => {
    await scene.storage.policies.replace(changed(record, { mode: 'enforce' }));
    return await sign(...asked);
  });
  expect((await scene.ask()).status).toBe(400);
  expect(scene.log.events.map(({ type, reason }) => [type, reason])).toEqual([
    ['token.refused', 'policy_enforced'],
  ]);
  expect(scene.counters.tokensIssued).toBe(0);
});

test('a ceiling that comes while a token is signed lets no longer one out', async () => {
  const { keystore } = scene.deps;
  const sign = keystore.sign.bind(keystore);
  vi.spyOn(keystore, 'sign').mockImplementationOnce(async (...asked) => {
    const ceiling = { rule: 'lifetime_ceiling', parameters: { token: '2m' } } as const;
    await scene.storage.policies.insert(policyRecord(ceiling));
    return await sign(...asked);
  });
  expect((await scene.ask()).status).toBe(400);
  expect(jsonOf(await scene.ask())).toMatchObject({ expires_in: 120 });
});

test('of many that ask while a policy is switched each has one outcome, and each is in the log', async () => {
  const record = policyRecord({ mode: 'report' });
  await scene.storage.policies.insert(record);
  const asking = Array.from({ length: 20 }, async (_, index) => {
    if (index === 10) await scene.storage.policies.replace(changed(record, { mode: 'enforce' }));
    return (await scene.ask()).status;
  });
  const answers = await Promise.all(asking);
  const issued = answers.filter((status) => status === 200).length;
  const told = (type: string) => scene.log.events.filter((event) => event.type === type).length;
  expect([told('token.issued'), told('token.refused')]).toEqual([issued, 20 - issued]);
  expect((await scene.ask()).status).toBe(400);
});
