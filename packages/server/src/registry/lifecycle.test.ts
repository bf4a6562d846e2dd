import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { createChanges } from '../audit/change.ts';
import { openPostgresStorage } from '../database/postgres.ts';
import { openMemoryStorage } from '../../test/memory-storage.ts';
import { testDatabases } from '../database/test-databases.ts';
import { sweepIdentitiesJob } from '../governance/jobs/sweep-identities.ts';
import { pooledRandom } from '../ids.ts';
import { fakeLog } from '../../test/fake-log.ts';
import { credentialRecord, identityRecord } from '../storage/contract/records.ts';
import type { IdentityRecord, IdentityState } from '../storage/identities.ts';
import type { Storage } from '../storage/storage.ts';
import { extendPlan, skipPhase } from './change-plan.ts';
import { cutOff } from './cut-off.ts';
import { gradualPlan, USUAL_PHASES } from './decommissioning.ts';
import { standing } from './effective-access.ts';
import { createFirstProof } from './first-proof.ts';
import { changeIdentity } from './identity.ts';
import { MOVES, type Move, moveIdentity, TRANSITIONS } from './lifecycle.ts';
import { RegistryRefusal } from './refusal.ts';

const START = Date.parse('2026-11-21T12:00:00Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The states of docs/operate/lifecycle.md, written down once more and in another way: from state to what may follow. */
const LEGAL: Record<IdentityState, Partial<Record<Move, IdentityState>>> = {
  draft: { submit: 'requested', activate: 'active', decommission: 'decommissioned', lapse: 'lapsed' },
  requested: {
    approve: 'approved',
    reject: 'rejected',
    decommission: 'decommissioned',
    time_out: 'rejected',
  },
  approved: { activate: 'active', decommission: 'decommissioned', lapse: 'lapsed' },
  active: { suspend: 'suspended', decommission: 'decommissioning' },
  suspended: { suspend: 'suspended', resume: 'active', decommission: 'decommissioning' },
  decommissioning: {
    suspend: 'decommissioning',
    stop: 'decommissioning',
    restore: 'suspended',
    keep: 'active',
    finish: 'decommissioned',
  },
  decommissioned: {},
  rejected: {},
  lapsed: {},
};
const ADA = { issuer: 'https://people.example', subject: 'ada', handle: 'ada', signedInAt: START };
const ENDS = new Set<IdentityState>(['decommissioned', 'rejected', 'lapsed']);

type Step =
  | { readonly do: 'move'; readonly move: Move; readonly gradually: boolean; readonly person: boolean }
  | { readonly do: 'cut off' | 'prove' | 'sweep' | 'skip' }
  | { readonly do: 'wait'; readonly hours: number }
  | { readonly do: 'extend identity' | 'extend plan'; readonly days: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc
      .record({ move: fc.constantFrom(...MOVES), gradually: fc.boolean(), person: fc.boolean() })
      .map((asked): Step => ({ do: 'move', ...asked })),
  },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom('cut off', 'prove', 'sweep', 'sweep', 'sweep', 'skip')
      .map((what): Step => ({ do: what as 'sweep' })),
  },
  {
    weight: 5,
    arbitrary: fc
      .oneof(fc.integer({ min: 1, max: 72 }), fc.integer({ min: 72, max: 1000 }))
      .map((hours): Step => ({ do: 'wait', hours })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        do: fc.constantFrom('extend identity', 'extend plan'),
        days: fc.integer({ min: 1, max: 40 }),
      })
      .map((asked) => asked as Step),
  },
);

const begins: fc.Arbitrary<Partial<IdentityRecord>> = fc.constantFrom<Partial<IdentityRecord>>(
  { state: 'draft' },
  { state: 'requested' },
  { state: 'approved' },
  { state: 'approved', activation: 'first_proof' },
  { state: 'active' },
  { state: 'active' },
  { state: 'suspended' },
);

function modelTests(open: () => Promise<Storage>, numRuns: number): void {
  test('whatever happens in whatever order, an identity is where the model says', {
    timeout: 120_000,
  }, async () => {
    const storage = await open();
    await fc.assert(
      fc.asyncProperty(begins, fc.array(step, { maxLength: 14 }), (begin, steps) =>
        runAgainstModel(storage, begin, steps),
      ),
      { numRuns },
    );
    await storage.close();
  });
}

const RACES: readonly (readonly [IdentityState, readonly Move[]])[] = [
  ['active', ['suspend', 'decommission']],
  ['active', ['decommission', 'decommission', 'decommission']],
  ['suspended', ['resume', 'decommission']],
  ['decommissioning', ['restore', 'finish', 'stop']],
  ['draft', ['activate', 'submit', 'decommission']],
];

function raceTests(open: () => Promise<Storage>): void {
  test.each(RACES)(
    'of moves of what is %s at once (%j), all seeing the same, one is made',
    async (state, moves) => {
      const storage = await open();
      const log = fakeLog();
      const clock = { now: () => START };
      const random = pooledRandom();
      const changes = createChanges({ storage, log, clock, random, node: 'test' });
      const actor = { identity: 'admin' };
      for (let round = 0; round < 8; round++) {
        const unique = randomBytes(8).toString('hex');
        const before = identityRecord({
          id: `idn_${unique}0000`,
          clientId: `race-${unique}`,
          expiresAt: START + DAY,
          state,
          ...(state === 'decommissioning'
            ? { decommissioning: gradualPlan(USUAL_PHASES, START, false) }
            : {}),
        });
        await storage.identities.insert(before);
        const outcomes = await Promise.allSettled(
          moves.map((move) =>
            changes.run(actor, (stores, tell) =>
              moveIdentity({ clock, random }, stores, tell, before, { move, reason: move, actor }),
            ),
          ),
        );
        const after = await storage.identities.byId(before.id);
        const told = log.events.filter(({ resource }) => resource === before.id);
        const lost = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason.fault] : []));
        expect(lost).toEqual(moves.slice(1).map(() => 'version_conflict'));
        expect([told.length, after?.version]).toEqual([1, before.version + 1]);
        expect(told[0]?.reason).toBe(after?.stateReason);
      }
      await storage.close();
    },
  );
}

describe('SQLite', () => {
  raceTests(() => openMemoryStorage());
  modelTests(() => openMemoryStorage(), 150);
});

const server = process.env['COUNTERSIGN_TEST_POSTGRES'];
describe.skipIf(server === undefined)('PostgreSQL (needs COUNTERSIGN_TEST_POSTGRES)', () => {
  const databases = testDatabases(server ?? '');
  afterAll(() => databases.dropAll());
  raceTests(async () => openPostgresStorage({ url: await databases.create() }));
  modelTests(async () => openPostgresStorage({ url: await databases.create() }), 40);
});

async function runAgainstModel(
  storage: Storage,
  begin: Partial<IdentityRecord>,
  steps: readonly Step[],
): Promise<void> {
  let now = START;
  const clock = { now: () => now };
  const random = pooledRandom();
  const log = fakeLog();
  const changes = createChanges({ storage, log, clock, random, node: 'test' });
  const approvalValidity = 7 * DAY;
  const deps = {
    clock,
    random,
    changes,
    storage,
    approvalValidity,
    lifetimes: { maximum: 600 },
    compromiseKey: async () => false,
  };
  const sweepJob = sweepIdentitiesJob(deps);
  const firstProof = createFirstProof(deps);
  const actor = { identity: 'admin' };
  const unique = randomBytes(8).toString('hex');
  const first = identityRecord({
    id: `idn_${unique}0000`,
    clientId: `model-${unique}`,
    createdAt: START,
    updatedAt: START,
    stateSince: START,
    expiresAt: START + 40 * DAY,
    ...begin,
  });
  const credential = credentialRecord(first.id, {
    id: `crd_${unique}0000`,
    material: { type: 'client_secret', publicId: unique, digest: 'c2VjcmV0' },
    notBeforeAt: START,
    expiresAt: START + 1000 * DAY,
  });
  await storage.identities.insert(first);
  await storage.credentials.insert(credential);
  const read = async (): Promise<IdentityRecord> =>
    (await storage.identities.byId(first.id)) as IdentityRecord;
  const run = (work: Parameters<typeof changes.run>[1]) => changes.run(actor, work);

  // A sweep sees those of the runs before as well.
  const own = () => log.events.filter(({ resource }) => resource === first.id);

  for (const each of steps) {
    now += 1000;
    const before = await read();
    const attempt = async (): Promise<unknown> => {
      switch (each.do) {
        case 'wait':
          return void (now += each.hours * HOUR);
        case 'sweep':
          return await sweepJob.run(new AbortController().signal);
        case 'prove':
          return await firstProof(first.clientId, credential.id);
        case 'cut off':
          return await run((stores, tell) =>
            cutOff(deps, stores, tell, { kind: 'identity', id: first.id, reason: 'leak', actor }),
          );
        case 'extend identity':
          return await run((stores, tell) =>
            changeIdentity(deps, stores, tell, before, { expiresAt: now + each.days * DAY }, actor),
          );
        case 'extend plan':
          return await run((stores, tell) =>
            extendPlan(deps, stores, tell, before, { days: each.days, reason: 'x' }),
          );
        case 'skip':
          return await run((stores, tell) => skipPhase(deps, stores, tell, before, { reason: 'x', actor }));
        case 'move': {
          const plan = each.gradually ? { plan: gradualPlan(USUAL_PHASES, now, false) } : {};
          const who = each.person ? { ...actor, person: ADA } : actor;
          const moving = {
            move: each.move,
            reason: 'x',
            actor: who,
            ...(before.state === 'active' ? plan : {}),
          };
          return await run((stores, tell) => moveIdentity(deps, stores, tell, before, moving));
        }
      }
    };
    const told = own().length;
    const refused = await attempt().then(
      () => false,
      (error: unknown) => {
        expect(error).toBeInstanceOf(RegistryRefusal);
        return true;
      },
    );
    const after = await read();
    if (refused) expect([after, own().length]).toEqual([before, told]);
    if (each.do === 'move') checkMove(before, after, each, refused, now);
    checkPath(before, after, each);
    if (each.do === 'sweep') checkSwept(after, now);
    checkStanding(after, standing(after, credential, now), now);
    expect(own().length > told).toBe(after.version > before.version);
  }
}

/** A move is made when the table has it and nothing is in its way, and in no other case. */
function checkMove(
  before: IdentityRecord,
  after: IdentityRecord,
  { move, person }: Extract<Step, { readonly do: 'move' }>,
  refused: boolean,
  now: number,
): void {
  const expected = LEGAL[before.state][move];
  const goesOn = ['activate', 'resume', 'keep'].includes(move);
  const held =
    (goesOn && (before.securityStop || before.expiresAt <= now)) ||
    (move === 'activate' && before.activation === 'first_proof') ||
    (['approve', 'reject'].includes(move) && !person) ||
    (move === 'keep' && isStopped(before, now)) ||
    (move === 'restore' && (before.decommissioning?.endsAt ?? Infinity) <= now);
  expect(refused).toBe(expected === undefined || held);
  if (expected !== undefined && !held) expect(after.state).toBe(expected);
}

/** Whatever was done: one legal step after the other, and nothing comes back from an end. */
function checkPath(before: IdentityRecord, after: IdentityRecord, { do: what }: Step): void {
  if (after.state === before.state) {
    expect(after.stateSince).toBe(before.stateSince);
    return;
  }
  expect(ENDS.has(before.state)).toBe(false);
  expect(after.stateSince).toBeGreaterThan(before.stateSince);
  const reachable = new Set(Object.values(LEGAL[before.state]));
  expect(reachable.has(after.state) || what === 'sweep').toBe(true);
  expect(after.decommissioning !== undefined).toBe(
    after.state === 'decommissioning' ||
      (after.state === 'decommissioned' && before.state === 'decommissioning'),
  );
}

function isStopped({ decommissioning: plan, securityStop }: IdentityRecord, now: number): boolean {
  return plan === undefined || plan.phase === 'stopped' || plan.stopAt <= now || securityStop;
}

/** After a sweep nothing is where time does not allow it to be. */
function checkSwept(record: IdentityRecord, now: number): void {
  const { state, stateSince, expiresAt, decommissioning: plan } = record;
  if (['draft', 'requested', 'approved', 'active'].includes(state)) expect(expiresAt).toBeGreaterThan(now);
  if (state === 'requested') expect(now - stateSince).toBeLessThan(7 * DAY);
  if (state === 'approved') expect(now - stateSince).toBeLessThan(14 * DAY);
  if (state !== 'decommissioning') return;
  expect(plan?.endsAt).toBeGreaterThan(now);
  if ((plan?.stopAt ?? 0) <= now) expect(plan?.phase).toBe('stopped');
}

/** Who may act: the active, and what ends until it is stopped and outside of its brown-outs; nobody past its end. */
function checkStanding(record: IdentityRecord, fault: string | undefined, now: number): void {
  const { decommissioning: plan } = record;
  const brownOut = plan?.brownOuts.some(({ from, to }) => from <= now && now < to) === true;
  const works =
    record.state === 'active' || (record.state === 'decommissioning' && !isStopped(record, now) && !brownOut);
  expect(fault === undefined).toBe(works && record.expiresAt > now);
}
const BY_MACHINE = { move: 'approve', reason: undefined, actor: { identity: 'admin' } } as const;

test('no way leads from requested to active past the people who approve', () => {
  const reachable = new Set<IdentityState>(['requested']);
  for (let grew = true; grew; ) {
    grew = false;
    for (const move of MOVES) {
      const { edges, guards } = TRANSITIONS[move];
      if (guards.some((guard) => guard({} as IdentityRecord, 0, BY_MACHINE)?.reason === 'needs_people'))
        continue;
      for (const { from, to } of edges) {
        if (reachable.has(to) || !from.some((state) => reachable.has(state))) continue;
        reachable.add(to);
        grew = true;
      }
    }
  }
  expect([...reachable].toSorted()).toEqual(['decommissioned', 'rejected', 'requested']);
});
