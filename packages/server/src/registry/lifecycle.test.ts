import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openSqliteStorage } from '../database/sqlite.ts';
import { pooledRandom } from '../ids.ts';
import type { IdentityRecord, IdentityState } from '../storage/identities.ts';
import type { Storage } from '../storage/storage.ts';
import { cutOff } from './cut-off.ts';
import { createIdentity } from './identity.ts';
import { MOVES, type Move, moveIdentity, TRANSITIONS } from './lifecycle.ts';
import { RegistryRefusal } from './refusal.ts';

const START = Date.parse('2026-11-21T12:00:00Z');
const DAY = 86_400_000;

/** The states of docs/operate/promises.md, written down once more and in another way: from state to what may follow. */
const LEGAL: Record<IdentityState, Partial<Record<Move, IdentityState>>> = {
  draft: { submit: 'requested', activate: 'active', decommission: 'decommissioned' },
  requested: { decommission: 'decommissioned' },
  approved: { activate: 'active', decommission: 'decommissioned', lapse: 'lapsed' },
  active: { suspend: 'suspended', decommission: 'decommissioning' },
  suspended: { suspend: 'suspended', resume: 'active', decommission: 'decommissioning' },
  decommissioning: { restore: 'suspended', finish: 'decommissioned' },
  decommissioned: {},
  rejected: {},
  lapsed: {},
};

type Step =
  | { readonly do: 'move'; readonly move: Move }
  | { readonly do: 'cut off' }
  | { readonly do: 'expire' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(...MOVES).map((move): Step => ({ do: 'move', move })) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'cut off' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'expire' }) },
);

test('whatever happens in whatever order, an identity is where the model says', async () => {
  const storage = await openSqliteStorage({ path: ':memory:' });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('draft', 'active'),
      fc.array(step, { maxLength: 12 }),
      async (state, steps) => {
        await runAgainstModel(storage, state, steps);
      },
    ),
    { numRuns: 150 },
  );
  await storage.close();
});

let made = 0;

async function runAgainstModel(
  storage: Storage,
  begin: 'draft' | 'active',
  steps: readonly Step[],
): Promise<void> {
  let now = START;
  const random = pooledRandom();
  const deps = {
    clock: { now: () => now },
    random,
    compromiseKey: async () => undefined,
    approvalValidity: 1000,
  };
  const quiet = (): void => undefined;
  const clientId = `model-${made++}`;
  const record = await storage.transaction((stores) =>
    createIdentity(deps, stores, quiet, {
      name: 'model',
      kind: 'service',
      environment: 'test',
      purpose: 'is modelled',
      owner: { person: 'ada', backup: undefined, team: undefined },
      sensitivity: 1,
      cadence: 'daily',
      by: { identity: 'model' },
      clientId,
      expiresAt: START + DAY,
      state: begin,
    }),
  );
  const model = { state: begin as IdentityState, stopped: false, version: 1 };
  const head = async (): Promise<number> => await storage.cutoffs.head();

  for (const each of steps) {
    const cutoffsBefore = await head();
    const events: string[] = [];
    const tell = (event: { type: string }): void => void events.push(event.type);
    now += 1000;
    if (each.do === 'expire') {
      now = START + 2 * DAY;
      continue;
    }
    if (each.do === 'cut off') {
      const asked = { kind: 'identity', id: clientId, reason: 'leak', actor: { identity: 'admin' } } as const;
      await storage.transaction((stores) => cutOff(deps, stores, tell, asked));
      expect(await head()).toBe(cutoffsBefore + 1);
      const stops = model.state === 'active' || model.state === 'suspended';
      if (!model.stopped || model.state === 'active') model.version++;
      if (stops) model.state = 'suspended';
      model.stopped = true;
    } else {
      const present = (await storage.identities.byId(record.id)) as IdentityRecord;
      const moving = { move: each.move, reason: 'x', actor: { identity: 'admin' } };
      const expected = LEGAL[model.state][each.move];
      const goesOn = each.move === 'activate' || each.move === 'resume';
      const held = goesOn && (model.stopped || now >= record.expiresAt);
      const attempt = storage.transaction((stores) => moveIdentity(deps, stores, tell, present, moving));
      if (expected === undefined || held) {
        await expect(attempt).rejects.toBeInstanceOf(RegistryRefusal);
        expect(events).toEqual([]);
      } else {
        await attempt;
        const changes = expected !== model.state;
        if (changes) model.version++;
        expect(events.some((type) => TRANSITIONS[each.move].edges.some(({ event }) => event === type))).toBe(
          changes,
        );
        expect(await head()).toBe(cutoffsBefore + (changes && TRANSITIONS[each.move].stops ? 1 : 0));
        model.state = expected;
      }
    }
    const after = (await storage.identities.byId(record.id)) as IdentityRecord;
    expect({ state: after.state, stopped: after.securityStop, version: after.version }).toEqual(model);
  }
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
  expect([...reachable]).toEqual(['requested', 'decommissioned']);
});
