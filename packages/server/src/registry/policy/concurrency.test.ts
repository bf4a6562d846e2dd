import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createChanges } from '../../audit/change.ts';
import { openPostgresStorage } from '../../database/postgres.ts';
import { openSqliteStorage } from '../../database/sqlite.ts';
import { testDatabases } from '../../database/test-databases.ts';
import { pooledRandom } from '../../ids.ts';
import { identityRecord, resourceServerRecord } from '../../storage/contract/records.ts';
import type { Storage } from '../../storage/storage.ts';
import { fakeLog } from '../../../test/fake-log.ts';
import { createAccess } from '../access.ts';
import { RegistryRefusal } from '../refusal.ts';
import { changePolicy, createPolicy } from './policy.ts';

const START = 1_800_000_000_000;
const DAY = 86_400_000;
const server = process.env['COUNTERSIGN_TEST_POSTGRES'];
const databases = server === undefined ? undefined : testDatabases(server);
const folder = mkdtempSync(join(tmpdir(), 'countersign-policies-'));
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await databases?.dropAll();
});

let files = 0;
const BACKENDS = [
  ['SQLite', () => openSqliteStorage({ path: join(folder, `${++files}.db`) })],
  ['PostgreSQL', async () => openPostgresStorage({ url: (await databases?.create()) ?? '' })],
] as const satisfies readonly (readonly [string, () => Promise<Storage>])[];

const pairs = [{ one: { scope: 'create' }, other: { scope: 'approve' } }];

async function sceneOn(storage: Storage, across: 'identity' | 'owner') {
  const log = fakeLog();
  const clock = { now: () => START };
  const random = pooledRandom();
  const changes = createChanges({ storage, log, clock, random, node: 'test' });
  const deps = { clock, random, approvalValidity: 3 * DAY };
  const by = { identity: 'ci' };
  const policy = await changes.run(by, (stores, tell) =>
    createPolicy(deps, stores, tell, {
      name: `duties ${across}`,
      rule: 'separation_of_duties',
      parameters: { pairs, across },
      mode: 'enforce',
      match: {},
      tests: [],
    }),
  );
  const identityOf = async () => {
    const identity = identityRecord({
      expiresAt: START + 900 * DAY,
      owner: { person: `ada ${across}`, backup: undefined, team: undefined },
    });
    await storage.identities.insert(identity);
    return identity;
  };
  const api = async () => {
    const resourceServer = resourceServerRecord({
      scopes: ['create', 'approve'].map((name) => ({ name, description: '', sensitivity: 1 })),
    });
    await storage.resourceServers.insert(resourceServer);
    return resourceServer;
  };
  /** True when it is given, false when a policy refuses. */
  async function give(
    identity: Awaited<ReturnType<typeof identityOf>>,
    resourceServer: Awaited<ReturnType<typeof api>>,
    scope: string,
  ): Promise<boolean> {
    try {
      await changes.run(by, (stores, tell) =>
        createAccess(
          deps,
          stores,
          tell,
          { identity, resourceServer },
          {
            scopes: [scope],
            justification: 'x',
            tokenLifetime: undefined,
            conditions: undefined,
            expiresAt: START + 30 * DAY,
            by,
          },
        ),
      );
      return true;
    } catch (error) {
      if (error instanceof RegistryRefusal && error.reason === 'refused_by_policy') return false;
      throw error;
    }
  }
  const told = (type: string): number => log.events.filter((event) => event.type === type).length;
  return { changes, deps, policy, identityOf, api, give, told };
}

describe.each(BACKENDS)('at the same moment, on %s', (name, open) => {
  it('of two halves of a pair one is given and one refused, audited once each', async (ctx) => {
    if (name === 'PostgreSQL' && server === undefined)
      return ctx.skip('COUNTERSIGN_TEST_POSTGRES is not set');
    const storage = await open();
    try {
      for (const across of ['identity', 'owner'] as const) {
        const scene = await sceneOn(storage, across);
        for (let tried = 0; tried < 5; tried++) {
          const first = await scene.identityOf();
          const second = across === 'owner' ? await scene.identityOf() : first;
          const [left, right] = [await scene.api(), await scene.api()];
          const given = await Promise.all([
            scene.give(first, left, 'create'),
            scene.give(second, right, 'approve'),
          ]);
          expect(given.toSorted()).toEqual([false, true]);
          // The owner of the next try must hold none of it.
          for (const record of [
            ...(await storage.access.activeOfIdentity(first.id)),
            ...(await storage.access.activeOfIdentity(second.id)),
          ]) {
            await storage.access
              .replace({ ...record, state: 'revoked', version: record.version + 1 })
              .catch(() => undefined);
          }
        }
        expect(scene.told('access.created')).toBe(5);
        await scene.changes.run({ identity: 'ci' }, (stores, tell) =>
          changePolicy(scene.deps, stores, tell, scene.policy, { mode: 'off' }, () => undefined),
        );
      }
    } finally {
      await storage.close();
    }
  });

  it('a write and a policy that would refuse it: whichever comes first, nothing is broken unseen', async (ctx) => {
    if (name === 'PostgreSQL' && server === undefined)
      return ctx.skip('COUNTERSIGN_TEST_POSTGRES is not set');
    const storage = await open();
    try {
      const scene = await sceneOn(storage, 'identity');
      let { policy } = scene;
      for (let tried = 0; tried < 6; tried++) {
        const off = { mode: 'off' } as const;
        policy = await scene.changes.run({ identity: 'ci' }, (stores, tell) =>
          changePolicy(scene.deps, stores, tell, policy, off, () => undefined),
        );
        const identity = await scene.identityOf();
        await scene.give(identity, await scene.api(), 'create');
        const before = scene.told('access.created');
        const [given, enforced] = await Promise.all([
          scene.give(identity, await scene.api(), 'approve'),
          scene.changes.run({ identity: 'ci' }, (stores, tell) =>
            changePolicy(scene.deps, stores, tell, policy, { mode: 'enforce' }, () => undefined),
          ),
        ]);
        policy = enforced;
        expect(scene.told('access.created') - before).toBe(given ? 1 : 0);
        // Whatever came of it: from now on the policy holds.
        expect(await scene.give(identity, await scene.api(), 'approve')).toBe(false);
      }
    } finally {
      await storage.close();
    }
  });
});
