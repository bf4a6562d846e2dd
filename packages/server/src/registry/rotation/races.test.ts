import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { JsonObject } from '@countersign/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeLog } from '../../../test/fake-log.ts';
import { createChanges } from '../../audit/change.ts';
import type { AuditEvent } from '../../audit/event.ts';
import { openPostgresStorage } from '../../database/postgres.ts';
import { openSqliteStorage } from '../../database/sqlite.ts';
import { openMemoryStorage } from '../../../test/memory-storage.ts';
import { testDatabases } from '../../database/test-databases.ts';
import { pooledRandom } from '../../ids.ts';
import { credentialRecord, identityRecord } from '../../storage/contract/records.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import { StorageError } from '../../storage/errors.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { createClientKey } from '../client-key.ts';
import { expireCredential, revokeCredential } from '../credential.ts';
import { cutOff } from '../cut-off.ts';
import { credentialFault } from '../effective-access.ts';
import { RegistryRefusal } from '../refusal.ts';
import { sameHuman } from '../same-human.ts';
import { beginToSee } from '../use/credential-instances.ts';
import { keepWatch } from '../use/watch.ts';
import { retireRotated } from './retire.ts';
import { rotateCredential } from './rotate.ts';
import { rotateItself } from './rotate-itself.ts';

const START = 1_800_000_000_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const server = process.env['COUNTERSIGN_TEST_POSTGRES'];
const databases = server === undefined ? undefined : testDatabases(server);
const folder = mkdtempSync(join(tmpdir(), 'countersign-rotation-'));
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await databases?.dropAll();
});

function newKey(): JsonObject {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
  return { kty, crv, x, y } as JsonObject;
}

/**
 * Events in the order in which transactions wrote them: what waits for another's lock writes after it. The log may have them the other
 * way round, for a database that has let the lock go may still owe its answer.
 */
function noting(storage: Storage, written: AuditEvent[]): Storage {
  return {
    ...storage,
    transaction: (work) =>
      storage.transaction((stores) => {
        const insert: Stores['outbox']['insert'] = async (entry) => {
          await stores.outbox.insert(entry);
          written.push(JSON.parse(entry.body) as AuditEvent);
        };
        return work({ ...stores, outbox: { ...stores.outbox, insert } });
      }),
  };
}

/** What may be done with the key of one identity, on a real database. */
async function open(storage: Storage) {
  let now = START;
  const log = fakeLog();
  const clock = { now: () => now };
  const random = pooledRandom();
  const written: AuditEvent[] = [];
  const changes = createChanges({ storage: noting(storage, written), log, clock, random, node: 'test' });
  const deps = {
    clock,
    random,
    rotationOverlap: 10 * DAY,
    maximumAge: () => 90 * DAY,
    fetchFault: () => undefined,
    refusedMethods: new Map(),
    selfRotation: true,
    lifetimes: { maximum: 600 },
    compromiseKey: () => Promise.resolve(false),
  };
  const identity = identityRecord({ expiresAt: START + 900 * DAY, cadence: 'continuous' });
  await storage.identities.insert(identity);
  await beginToSee(storage.settings, clock);
  await keepWatch(storage.settings, now);
  const by = { identity: 'ops' };
  const terms = { allowTokenEndpointAudience: false, allowRs256: false, label: 'key', expiresAt: undefined };
  const create = () =>
    changes.run(by, (stores, tell) =>
      createClientKey(deps, stores, tell, identity, { ...terms, keys: { jwk: newKey() } }),
    );
  const on =
    (
      work: (
        ...args: [...Parameters<Parameters<typeof changes.run>[1]>, CredentialRecord]
      ) => Promise<unknown>,
    ) =>
    (id: string) =>
      changes.run(by, async (stores, tell) => {
        const record = await stores.credentials.byId(id);
        if (record === undefined) throw new Error('no such credential');
        return await work(stores, tell, record);
      });
  const asked = { by: 'administration', overlap: undefined, label: undefined, expiresAt: undefined } as const;
  return {
    storage,
    log,
    written,
    identity,
    create,
    now: () => now,
    wait: (ms: number) => void (now += ms),
    rotate: on((stores, tell, record) =>
      rotateCredential(deps, stores, tell, { identity, record }, asked, async (more) => ({
        record: await createClientKey(deps, stores, tell, identity, {
          ...terms,
          ...more,
          keys: { jwk: newKey() },
        }),
      })),
    ),
    rotateItself: on((stores, tell, { id }) =>
      rotateItself(deps, stores, tell, { credentialId: id, jwk: newKey() }),
    ),
    revoke: on((stores, tell, record) => revokeCredential(deps, stores, tell, identity, record)),
    expire: on((stores, tell, record) => expireCredential(deps, stores, tell, identity, record)),
    retire: on((stores, tell, record) => retireRotated(deps, stores, tell, identity, record)),
    cutOff: on((stores, tell, { id }) =>
      cutOff(deps, stores, tell, { kind: 'credential', id, reason: 'stolen', actor: by }),
    ),
    use: async (credentialId: string, instance: string) =>
      storage.credentialInstances.note(
        [{ credentialId, instance, source: 's', firstAt: now, lastAt: now }],
        500,
        '*',
      ),
    all: () => storage.credentials.ofIdentity(identity.id),
  };
}
type Scene = Awaited<ReturnType<typeof open>>;

/** Whether it was done; undefined where another was faster or a rule says no. */
async function done(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof RegistryRefusal || error instanceof StorageError) return false;
    throw error;
  }
}

describe('on SQLite', () => {
  races(() => openSqliteStorage({ path: join(folder, 'registry.db') }));
});

describe.skipIf(server === undefined)('on PostgreSQL (needs COUNTERSIGN_TEST_POSTGRES)', () => {
  races(async () => openPostgresStorage({ url: (await databases?.create()) ?? '' }));
});

function races(openStorage: () => Promise<Storage>): void {
  let storage: Storage;
  beforeAll(async () => {
    storage = await openStorage();
  });
  afterAll(() => storage.close());

  it('of rotations at once one is made, whoever asks', async () => {
    const scene = await open(storage);
    const { id } = await scene.create();
    const tries = [scene.rotate, scene.rotateItself, scene.rotate, scene.rotateItself];
    const made = await Promise.all(tries.map((rotate) => done(rotate(id))));
    expect(made.filter(Boolean).length).toBe(1);
    const successors = await storage.credentials.succeeding(id);
    expect(successors.length).toBe(1);
    expect((await storage.credentials.byId(id))?.successor?.id).toBe(successors[0]?.id);
    expect(scene.log.events.filter(({ type }) => type === 'credential.rotated').length).toBe(1);
  });

  it('a cut-off and a rotation by the thief at once: no key is left that was made from it', async () => {
    for (let round = 0; round < 5; round++) {
      const scene = await open(storage);
      const { id } = await scene.create();
      await Promise.all([done(scene.rotateItself(id)), scene.cutOff(id)]);
      for (const each of await scene.all()) expect(each.state).toBe('revoked');
    }
  });

  it('a thief who goes on rotating while he is cut off keeps no key', async () => {
    for (let round = 0; round < 6; round++) {
      const scene = await open(storage);
      const { id } = await scene.create();
      let tip = id;
      const rotateOn = async (): Promise<void> => {
        if (!(await done(scene.rotateItself(tip)))) return;
        tip = (await storage.credentials.byId(tip))?.successor?.id ?? tip;
      };
      for (let made = 0; made < 15; made++) await rotateOn();
      let over = false;
      const thief = (async () => {
        while (!over) {
          await rotateOn();
          await turn();
        }
      })();
      await new Promise((resolve) => setTimeout(resolve, 10 * round));
      await scene.cutOff(id);
      over = true;
      await thief;
      for (const each of await scene.all()) expect(each.state).toBe('revoked');
    }
  });

  it('whoever made the first key stands behind the last one, however often it rotated itself', async () => {
    const scene = await open(storage);
    const { id } = await scene.create();
    const pat = { kind: 'person', issuer: 'https://idp.test', subject: '7', handle: 'pat' } as const;
    const eva = { ...pat, subject: '8', handle: 'eva' };
    await storage.credentialMakers.note(id, pat);
    let tip = id;
    for (let rotated = 0; rotated < 25; rotated++) {
      await scene.rotateItself(tip);
      tip = (await storage.credentials.byId(tip))?.successor?.id ?? '';
    }
    const machine = { kind: 'machine', clientId: scene.identity.clientId, credential: tip } as const;
    expect(await sameHuman(storage, pat, machine)).toBe(true);
    expect(await sameHuman(storage, eva, machine)).toBe(false);
  });

  it('and none when he has rotated for longer than anybody follows', async () => {
    const scene = await open(storage);
    const first = await scene.create();
    let before = first;
    await storage.transaction(async ({ credentials }) => {
      for (let generation = 1; generation <= 1100; generation++) {
        const next = credentialRecord(scene.identity.id, {
          createdAt: START + generation,
          updatedAt: START + generation,
          expiresAt: START + 90 * DAY,
          state: generation === 1100 ? 'active' : 'expired',
          predecessor: { id: before.id, by: 'itself' },
        });
        await credentials.insert(next);
        before = next;
      }
    });
    scene.wait(DAY);
    await scene.cutOff(first.id);
    expect((await storage.credentials.byId(before.id))?.state).toBe('revoked');
    const ordered = await storage.cutoffs.ofTarget({ kind: 'credential', target: before.id }, 0, 1);
    expect(ordered.length).toBe(1);
    // Of those that ended long ago no token is left that verifiers would have to be told of.
    const orders = scene.log.events.filter(({ type }) => type === 'cutoff.ordered');
    expect(orders.length).toBe(2);
  }, 60_000);

  it('a retirement does not end the old one when the new one has just been revoked', async () => {
    for (let round = 0; round < 20; round++) {
      const scene = await open(storage);
      const { id } = await scene.create();
      await scene.use(id, 'a');
      await scene.rotate(id);
      const successor = (await storage.credentials.byId(id))?.successor?.id ?? '';
      scene.wait(HOUR);
      await scene.use(successor, 'a');
      scene.wait(2 * HOUR);
      const retire = done(scene.retire(id));
      await new Promise((resolve) => setTimeout(resolve, round % 5));
      await Promise.all([retire, done(scene.revoke(successor))]);
      const happened = new Set(scene.log.events.map((event) => event.id));
      const ends = scene.written.filter(
        ({ id: each, type }) => happened.has(each) && /retired|revoked/.test(type),
      );
      // The other way round it is what somebody decided who could see that nothing else was left.
      expect(ends.map(({ type }) => type)).not.toEqual(['credential.revoked', 'credential.retired']);
    }
  });

  it('a retirement and a revocation at once: one of them ends the old one, once', async () => {
    const scene = await open(storage);
    const { id } = await scene.create();
    await scene.use(id, 'a');
    await scene.rotate(id);
    const successor = (await storage.credentials.byId(id))?.successor?.id ?? '';
    scene.wait(HOUR);
    await scene.use(successor, 'a');
    scene.wait(2 * HOUR);
    await Promise.all([scene.retire, scene.revoke, scene.retire].map((end) => done(end(id))));
    const ends = scene.log.events.filter(
      ({ type, resource }) => resource === id && /retired|revoked/.test(type),
    );
    // A revocation may follow a retirement, which it overrules; nothing ends twice in the same way.
    expect(new Set(ends.map(({ type }) => type)).size).toBe(ends.length);
    expect((await storage.credentials.byId(successor))?.state).toBe('active');
  });
}

type Step =
  | {
      readonly do: 'rotate' | 'rotateItself' | 'revoke' | 'retire' | 'expire' | 'cutOff';
      readonly of: number;
    }
  | { readonly do: 'use'; readonly of: number; readonly by: 'a' | 'b' | '' }
  | { readonly do: 'wait'; readonly hours: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('rotate', 'rotateItself', 'retire', 'expire', 'revoke', 'cutOff'),
      of: fc.nat({ max: 5 }),
    }) as fc.Arbitrary<Step>,
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('use' as const),
      of: fc.nat({ max: 5 }),
      by: fc.constantFrom('a' as const, 'b' as const, '' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 72 }) }),
  },
);

describe('whatever is done in whatever order', () => {
  it('each credential has one successor that works, ends once, and is retired only when everybody has moved', async () => {
    const storage = await openMemoryStorage();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const scene = await open(storage);
        await scene.create();
        /** Who uses what, as they would themselves know: the last one each proved itself with, and when. */
        const last = new Map<string, { id: string; at: number }>();
        for (const each of steps) await take(scene, each, last);
      }),
      { numRuns: 30 },
    );
    await storage.close();
  });
});

async function take(scene: Scene, each: Step, last: Map<string, { id: string; at: number }>): Promise<void> {
  if (each.do === 'wait') return scene.wait(each.hours * HOUR);
  const before = [...(await scene.all())].sort((one, other) => (one.id < other.id ? -1 : 1));
  const record = before[each.of % before.length];
  if (record === undefined) return;
  const usable = (of: CredentialRecord): boolean => credentialFault(of, scene.now()) === undefined;
  if (each.do === 'use') {
    if (!usable(record)) return;
    await scene.use(record.id, each.by);
    last.set(each.by, { id: record.id, at: scene.now() });
    return;
  }
  const was = usable(record);
  const successor = before.find(({ id }) => id === record.successor?.id);
  const made = await done(scene[each.do](record.id));
  const after = await scene.all();
  const now = after.find(({ id }) => id === record.id);
  if (each.do === 'rotate' || each.do === 'rotateItself') {
    // Possible just when it works and has nobody in its place who does.
    expect(made).toBe(was && (successor === undefined || !usable(successor)));
    if (made) {
      expect(now?.expiresAt).toBe(Math.min(record.expiresAt, scene.now() + 10 * DAY));
      const heir = after.find(({ id }) => id === now?.successor?.id);
      expect(heir?.predecessor).toEqual({
        id: record.id,
        by: each.do === 'rotate' ? 'administration' : 'itself',
      });
      if (each.do === 'rotateItself' && heir !== undefined) {
        expect(heir.expiresAt - heir.createdAt).toBeLessThanOrEqual(record.expiresAt - record.notBeforeAt);
      }
    }
  }
  if (each.do === 'retire' && now?.state === 'expired' && record.state !== 'expired') {
    expect(successor !== undefined && usable(successor)).toBe(true);
    for (const { id, at } of last.values()) {
      if (id === record.id) expect(at).toBeLessThanOrEqual(scene.now() - 2 * DAY);
    }
  }
  if (each.do === 'cutOff' && made) {
    const gone = new Set([record.id]);
    for (let grew = true; grew; ) {
      grew = false;
      for (const { id, predecessor } of after) {
        if (predecessor?.by !== 'itself' || !gone.has(predecessor.id) || gone.has(id)) continue;
        gone.add(id);
        grew = true;
      }
    }
    for (const { id, state } of after) if (gone.has(id)) expect(state).toBe('revoked');
  }
  // What has ended has ended.
  for (const { id, state } of before) {
    if (state === 'revoked') expect(after.find((one) => one.id === id)?.state).toBe('revoked');
  }
}
