import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createChanges } from '../../audit/change.ts';
import { openPostgresStorage } from '../../database/postgres.ts';
import { openSqliteStorage } from '../../database/sqlite.ts';
import { openMemoryStorage } from '../../../test/memory-storage.ts';
import { testDatabases } from '../../database/test-databases.ts';
import { pooledRandom } from '../../ids.ts';
import type { AccessRecord } from '../../storage/access.ts';
import { identityRecord, resourceServerRecord } from '../../storage/contract/records.ts';
import type { Storage } from '../../storage/storage.ts';
import { fakeLog } from '../../../test/fake-log.ts';
import { changeAccess, createAccess, revokeAccess } from '../access.ts';
import { RegistryRefusal } from '../refusal.ts';
import { createApprovalRule } from './approval-rule.ts';
import { lapseRequest } from './lapse.ts';
import { decideRequest } from './subject.ts';

const START = 1_800_000_000_000;
const DAY = 86_400_000;
const VALID = 3 * DAY;
const server = process.env['COUNTERSIGN_TEST_POSTGRES'];
const databases = server === undefined ? undefined : testDatabases(server);
const folder = mkdtempSync(join(tmpdir(), 'countersign-approvals-'));
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await databases?.dropAll();
});

const BACKENDS = [
  ['SQLite', () => openSqliteStorage({ path: join(folder, `${++files}.db`) })],
  ['PostgreSQL', async () => openPostgresStorage({ url: (await databases?.create()) ?? '' })],
] as const satisfies readonly (readonly [string, () => Promise<Storage>])[];
let files = 0;

/** What may be done with an access that needs two approvals, on a real database. */
async function open(storage: Storage) {
  let now = START;
  const log = fakeLog();
  const clock = { now: () => now };
  const random = pooledRandom();
  const changes = createChanges({ storage, log, clock, random, node: 'test' });
  const deps = { clock, random, approvalValidity: VALID };
  const identity = identityRecord({ environment: 'prod', expiresAt: START + 900 * DAY });
  const resourceServer = resourceServerRecord();
  await storage.identities.insert(identity);
  await storage.resourceServers.insert(resourceServer);
  const ends = { identity, resourceServer };
  const by = { identity: 'ci' };
  if ((await storage.approvalRules.active()).length === 0) {
    await changes.run(by, (stores, tell) =>
      createApprovalRule(deps, stores, tell, {
        name: 'two',
        subject: 'access',
        match: {},
        steps: [{ quorum: 2, roles: ['approver'], teams: [], people: [] }],
        ownerMayApprove: true,
      }),
    );
  }
  const current = async (id: string): Promise<AccessRecord> =>
    (await storage.access.byId(id)) as AccessRecord;
  const decide =
    (verdict: 'approve' | 'reject') =>
    async (id: string, handle: string, hash?: string): Promise<void> => {
      const person = {
        kind: 'person',
        issuer: 'https://people.example',
        subject: handle,
        handle,
        roles: ['approver'],
        teams: [],
      } as const;
      const actor = { identity: `person:${handle}`, person: { ...person, signedInAt: now } };
      await changes.run(actor, async (stores, tell) => {
        const [request] = await stores.approvals.pendingOf([id]);
        if (request === undefined) throw new RegistryRefusal('illegal_transition', 'nothing waits');
        const decision = { person, actor, contentHash: hash ?? request.contentHash, comment: 'seen' };
        await decideRequest(deps, stores, tell, request, verdict, decision);
      });
    };
  return {
    log,
    ends,
    current,
    at: () => now,
    advance: (ms: number) => void (now += ms),
    ask: (scopes: readonly string[]) =>
      changes.run(by, (stores, tell) =>
        createAccess(deps, stores, tell, ends, {
          scopes,
          justification: 'is needed',
          tokenLifetime: undefined,
          conditions: undefined,
          expiresAt: START + 800 * DAY,
          by,
        }),
      ),
    change: async (id: string, scopes: readonly string[]) =>
      await changes.run(by, async (stores, tell) => {
        const record = (await stores.access.byId(id)) as AccessRecord;
        return await changeAccess(deps, stores, tell, ends, record, { scopes }, by);
      }),
    revoke: async (id: string) =>
      await changes.run(by, async (stores, tell) => {
        const record = (await stores.access.byId(id)) as AccessRecord;
        return await revokeAccess(deps, stores, tell, ends, record);
      }),
    approve: decide('approve'),
    reject: decide('reject'),
    lapse: async (id: string) =>
      await changes.run({ identity: 'countersign' }, async (stores, tell) => {
        for (const { id: request } of await stores.approvals.pendingOf([id])) {
          await lapseRequest(deps, stores, tell, request);
        }
      }),
    pending: async (id: string) => (await storage.approvals.pendingOf([id]))[0],
  };
}

/** Again when somebody was in the way: what a client does after 409 concurrent_change. */
async function untilDecided(work: () => Promise<void>): Promise<unknown> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if ((error as { fault?: string }).fault !== 'version_conflict') return error;
    }
  }
}

describe.each(BACKENDS)('on %s', (name, openStorage) => {
  it('of people who decide at one moment each word counts once, and the outcome is one', async (ctx) => {
    if (name === 'PostgreSQL' && databases === undefined) ctx.skip('COUNTERSIGN_TEST_POSTGRES is not set');
    const storage = await openStorage();
    try {
      const scene = await open(storage);
      const { id } = await scene.ask(['fraud:read']);
      const outcomes = await Promise.all([
        ...['ann', 'bob', 'cyd', 'dan'].map((who) => untilDecided(() => scene.approve(id, who))),
        untilDecided(() => scene.approve(id, 'ann')),
      ]);
      expect(outcomes.filter((each) => each === undefined)).toHaveLength(2);
      const record = await scene.current(id);
      expect(record.state).toBe('active');
      expect(record.approvedBy?.split(', ')).toHaveLength(2);
      const told = scene.log.events.filter(({ resource }) => resource === id).map(({ type }) => type);
      expect(told).toEqual(['access.requested', 'access.approval_given', 'access.approved']);
    } finally {
      await storage.close();
    }
  }, 60_000);

  it('of an approval, a rejection, an edit and a revocation at one moment there is one outcome', async (ctx) => {
    if (name === 'PostgreSQL' && databases === undefined) ctx.skip('COUNTERSIGN_TEST_POSTGRES is not set');
    const storage = await openStorage();
    try {
      for (let round = 0; round < 12; round++) {
        const scene = await open(storage);
        const { id } = await scene.ask(['fraud:read']);
        await scene.approve(id, 'ann');
        const hash = (await scene.pending(id))?.contentHash ?? '';
        await Promise.all([
          untilDecided(() => scene.approve(id, 'bob', hash)),
          untilDecided(() => scene.reject(id, 'cyd', hash)),
          untilDecided(async () => void (await scene.change(id, ['fraud:read', 'fraud:write']))),
          ...(round % 2 === 0 ? [untilDecided(async () => void (await scene.revoke(id)))] : []),
        ]);
        const record = await scene.current(id);
        const pending = await scene.pending(id);
        const told = scene.log.events.filter(({ resource }) => resource === id).map(({ type }) => type);
        // Nobody has what two people did not see.
        const approved = told.includes('access.approved');
        expect(approved && told.includes('access.rejected')).toBe(false);
        expect(record.scopes.includes('fraud:write') && record.state === 'active').toBe(false);
        if (record.state === 'requested') expect(pending).toBeDefined();
        if (record.state === 'rejected' || record.state === 'revoked') expect(pending).toBeUndefined();
        const versions = await storage.access.historyOf(scene.ends.identity.id, scene.ends.resourceServer.id);
        expect(versions.map(({ version }) => version)).toEqual(versions.map((_, place) => place + 1));
      }
    } finally {
      await storage.close();
    }
  }, 60_000);

  it('what is asked of an access that ends at the same moment does not wait on', async (ctx) => {
    if (name === 'PostgreSQL' && databases === undefined) ctx.skip('COUNTERSIGN_TEST_POSTGRES is not set');
    const storage = await openStorage();
    try {
      for (let round = 0; round < 20; round++) {
        const scene = await open(storage);
        const { id } = await scene.ask(['fraud:read']);
        await scene.approve(id, 'ann');
        await scene.approve(id, 'bob');
        await Promise.all([
          untilDecided(async () => void (await scene.change(id, ['fraud:read', 'fraud:write']))),
          untilDecided(async () => void (await scene.revoke(id))),
        ]);
        expect((await scene.current(id)).state).toBe('revoked');
        expect(await scene.pending(id)).toBeUndefined();
      }
    } finally {
      await storage.close();
    }
  }, 60_000);
});

type Command =
  | { readonly kind: 'approve' | 'reject'; readonly who: string; readonly stale: boolean }
  | { readonly kind: 'change'; readonly scopes: readonly string[] }
  | { readonly kind: 'revoke' }
  | { readonly kind: 'wait'; readonly days: number };

/** What has to be so, in as few words as there are. */
interface Model {
  state: AccessRecord['state'];
  scopes: readonly string[];
  asked: { scopes: readonly string[]; approvals: Set<string>; until: number } | undefined;
}

it('after any commands in any order it is as a simple model says', async () => {
  const storage = await openMemoryStorage();
  const scopes = fc.subarray(['fraud:read', 'fraud:write'], { minLength: 1 });
  const who = fc.constantFrom('ann', 'bob', 'cyd');
  const command = fc.oneof<fc.Arbitrary<Command>[]>(
    fc.record({ kind: fc.constant('approve' as const), who, stale: fc.boolean() }),
    fc.record({ kind: fc.constant('approve' as const), who, stale: fc.constant(false) }),
    fc.record({ kind: fc.constant('reject' as const), who, stale: fc.boolean() }),
    fc.record({ kind: fc.constant('change' as const), scopes }),
    fc.constant({ kind: 'revoke' as const }),
    fc.record({ kind: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 4 }) }),
  );
  try {
    await fc.assert(
      fc.asyncProperty(scopes, fc.array(command, { maxLength: 12 }), async (first, commands) => {
        const scene = await open(storage);
        const { id } = await scene.ask(first);
        const model: Model = {
          state: 'requested',
          scopes: first,
          asked: { scopes: first, approvals: new Set(), until: scene.at() + VALID },
        };
        for (const each of commands) {
          const expected = stepModel(model, each, scene.at());
          const happened = await carryOut(scene, id, each).then(
            () => true,
            (error: unknown) => {
              if (!(error instanceof RegistryRefusal)) throw error;
              return false;
            },
          );
          if (each.kind === 'wait') stepModel(model, each, scene.at());
          else expect(happened, JSON.stringify(each)).toBe(expected);
          const record = await scene.current(id);
          expect([record.state, [...record.scopes].sort()]).toEqual([model.state, [...model.scopes].sort()]);
          const pending = await scene.pending(id);
          expect(pending === undefined).toBe(model.asked === undefined);
        }
      }),
      { numRuns: 60 },
    );
  } finally {
    await storage.close();
  }
}, 60_000);

async function carryOut(
  scene: Awaited<ReturnType<typeof open>>,
  id: string,
  command: Command,
): Promise<void> {
  if (command.kind === 'change') await scene.change(id, command.scopes);
  else if (command.kind === 'revoke') await scene.revoke(id);
  else if (command.kind === 'wait') {
    scene.advance(command.days * DAY);
    await scene.lapse(id);
  } else await scene[command.kind](id, command.who, command.stale ? 'f'.repeat(64) : undefined);
}

/** Makes the step; whether it is one that succeeds. */
function stepModel(model: Model, command: Command, now: number): boolean {
  const { asked } = model;
  const ended = model.state !== 'requested' && model.state !== 'active';
  if (command.kind === 'wait') {
    if (asked !== undefined && asked.until <= now) {
      model.asked = undefined;
      if (model.state === 'requested') model.state = 'lapsed';
    }
    return true;
  }
  if (command.kind === 'revoke') {
    if (!ended) model.state = 'revoked';
    if (!ended) model.asked = undefined;
    return true;
  }
  if (command.kind === 'change') {
    const same = JSON.stringify(command.scopes) === JSON.stringify(model.scopes);
    if (same) return true;
    if (ended) return false;
    const wider = command.scopes.some((scope) => !model.scopes.includes(scope));
    const edits = model.state === 'requested';
    if (edits || wider) {
      const again = asked !== undefined && sameSet(asked.scopes, command.scopes);
      if (!again) model.asked = { scopes: command.scopes, approvals: new Set(), until: now + VALID };
    } else model.asked = undefined;
    if (edits || !wider) model.scopes = command.scopes;
    return true;
  }
  if (asked === undefined || command.stale) return false;
  if (asked.approvals.has(command.who)) return false;
  if (command.kind === 'reject') {
    if (model.state === 'requested') model.state = 'rejected';
    model.asked = undefined;
    return true;
  }
  asked.approvals.add(command.who);
  if (asked.approvals.size === 2) {
    model.state = 'active';
    const kept = model.scopes.filter((scope) => asked.scopes.includes(scope));
    model.scopes = [...kept, ...asked.scopes.filter((scope) => !kept.includes(scope))];
    model.asked = undefined;
  }
  return true;
}

function sameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((each) => right.includes(each));
}
