import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { T0, changed, freshId, identityRecord, resourceServerRecord } from '../storage/contract/records.ts';
import { ProofShareUsedUp } from '../storage/errors.ts';
import type { Change, Storage } from '../storage/storage.ts';
import { openPostgresStorage } from './postgres.ts';
import { testDatabases } from './test-databases.ts';

const server = process.env['COUNTERSIGN_TEST_POSTGRES'];
const built = new URL('../../dist/database/postgres.js', import.meta.url);

describe.skipIf(server === undefined)('nodes that share PostgreSQL (needs COUNTERSIGN_TEST_POSTGRES)', () => {
  const databases = testDatabases(server ?? '');
  let url: string;
  let here: Storage;
  let there: Storage;

  beforeAll(async () => {
    url = await databases.create();
    [here, there] = await Promise.all([
      openPostgresStorage({ url }),
      openPostgresStorage({ url, connections: 3 }),
    ]);
  });
  afterAll(async () => {
    await here?.close();
    await there?.close();
    await databases.dropAll();
  });

  /** Ends the connections that bear the name. */
  const cut = (name: string): Promise<unknown> =>
    databases.run(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = '${name}'`,
      url,
    );
  /** What a node was told while something was done, and until the last change expected came. */
  async function told(
    node: Storage,
    act: () => Promise<unknown>,
    until: Change,
    within = 1000,
  ): Promise<Change[]> {
    const changes: Change[] = [];
    const stop = node.onChange((change) => changes.push(change));
    try {
      await act();
      await expect.poll(() => changes, { timeout: within, interval: 5 }).toContainEqual(until);
      return changes;
    } finally {
      stop();
    }
  }

  it('make the tables once, however many start together', async () => {
    const rows = await databases.run('SELECT name FROM schema_migrations ORDER BY position', url);
    const names = rows.map((row) => row['name']);
    expect(names.slice(0, 2)).toEqual(['0001-registry', '0002-audit']);
    expect(new Set(names).size).toBe(names.length);
  });

  it('hear of each other within a second, each change once, and read it then', async () => {
    const identity = identityRecord();
    const inserted: Change = { kind: 'identity', identityId: identity.id, clientId: identity.clientId };
    const reads: Promise<unknown>[] = [];
    const stop = there.onChange(() => reads.push(there.identities.byId(identity.id)));
    expect(await told(there, () => here.identities.insert(identity), inserted)).toEqual([inserted]);
    expect(await Promise.all(reads)).toStrictEqual([identity]);
    stop();
    const server = resourceServerRecord();
    const replaced: Change = { kind: 'identity', identityId: identity.id };
    const act = () =>
      there.transaction(async ({ identities, resourceServers }) => {
        await resourceServers.insert(server);
        await identities.replace(changed(identity, {}));
      });
    const changes = await told(here, act, replaced);
    expect(changes).toEqual([{ kind: 'resource_server', resourceServerId: server.id }, replaced]);
  });

  it('are not told of their own changes twice', async () => {
    const changes: Change[] = [];
    const stop = here.onChange((change) => changes.push(change));
    const identity = identityRecord();
    await told(there, () => here.identities.insert(identity), {
      kind: 'identity',
      identityId: identity.id,
      clientId: identity.clientId,
    });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    stop();
    expect(changes).toHaveLength(1);
  });

  it('are told all when a change is too large for a notification', async () => {
    const act = () =>
      here.transaction(async ({ identities }) => {
        for (let index = 0; index < 200; index++) await identities.insert(identityRecord());
      });
    expect(await told(there, act, { kind: 'all' })).toEqual([{ kind: 'all' }]);
  });

  it('are told all when a notification was lost', async () => {
    const act = () => databases.run('UPDATE registry_version SET version = version + 1', url);
    expect(await told(here, act, { kind: 'all' }, 2500)).toEqual([{ kind: 'all' }]);
    const identity = identityRecord();
    const act2 = () => there.identities.insert(identity);
    const inserted: Change = { kind: 'identity', identityId: identity.id, clientId: identity.clientId };
    expect(await told(here, act2, inserted)).toEqual([inserted]);
  });

  it('know that they do not hear while the listening connection is lost, and forget before they hear again', async () => {
    const order: string[] = [];
    const stop = here.onChange((change) => order.push(`${change.kind}, coherent ${here.coherent()}`));
    expect(here.coherent()).toBe(true);
    await cut('countersign changes');
    await expect.poll(() => here.coherent(), { interval: 1, timeout: 1000 }).toBe(false);
    await expect.poll(() => here.coherent(), { interval: 5, timeout: 5000 }).toBe(true);
    stop();
    expect(order).toEqual(['all, coherent false']);
    const identity = identityRecord();
    await expect.poll(() => there.coherent(), { timeout: 5000 }).toBe(true);
    const inserted: Change = { kind: 'identity', identityId: identity.id, clientId: identity.clientId };
    expect(await told(here, () => there.identities.insert(identity), inserted)).toEqual([inserted]);
  });

  it('stop answering from memory within their staleness when the listening connection stalls', async () => {
    let stalled = false;
    const target = new URL(url);
    const proxy = createServer((near) => {
      const far = connect(Number(target.port || 5432), target.hostname);
      let first: Buffer | undefined;
      const stops = (): boolean => stalled && first?.includes('countersign changes') === true;
      near.on('data', (bytes) => {
        first ??= bytes;
        if (!stops()) far.write(bytes);
      });
      far.on('data', (bytes) => void (stops() || near.write(bytes)));
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String((proxy.address() as AddressInfo).port);
    const node = await openPostgresStorage({ url: through.href });
    expect(node.staleness).toBe(2000);
    expect(node.coherent()).toBe(true);
    stalled = true;
    const began = performance.now();
    await expect.poll(() => node.coherent(), { interval: 5, timeout: 8000 }).toBe(false);
    expect(performance.now() - began).toBeLessThan(2100);
    stalled = false;
    await expect.poll(() => node.coherent(), { interval: 5, timeout: 8000 }).toBe(true);
    await node.close();
    proxy.close();
  });

  it('order a cut-off anew when another transaction holds up its commit', async () => {
    const instants: number[] = [];
    const head = await here.cutoffs.head();
    let held: Promise<unknown> | undefined;
    const order = here.transaction(async ({ cutoffs }) => {
      // Only the first time: the row that every commit with changes needs is taken before this one gets to it.
      held ??= databases.run(
        'WITH held AS MATERIALIZED (SELECT version FROM registry_version FOR UPDATE) SELECT pg_sleep(1.5) FROM held',
        url,
      );
      if (instants.length === 0) await cutoffs.head().then(() => pause(300));
      instants.push(Date.now());
      const order = { id: freshId('cut'), kind: 'token', target: 'x', notBefore: 1, reason: 'x' } as const;
      await cutoffs.append({ ...order, orderedBy: 'ada', createdAt: T0 });
    });
    await order;
    const committed = Date.now();
    await held;
    expect(instants).toHaveLength(2);
    expect(committed - (instants[1] ?? 0)).toBeLessThan(500);
    expect(await here.cutoffs.head()).toBe(head + 1);
  });

  it('go on when all of their connections were lost', async () => {
    await here.settings.set('before', 'x');
    await cut('countersign');
    await expect
      .poll(
        () => here.settings.get('before').catch((error: unknown) => (error as { fault?: string }).fault),
        { timeout: 5000 },
      )
      .toBe('x');
    await here.settings.set('after', 'y');
    expect(await there.settings.get('after')).toBe('y');
  });

  it('answer unavailable for a transaction whose connection was lost, and nothing of it is kept', async () => {
    const lost = here.transaction(async ({ settings }) => {
      await settings.set('lost', 'x');
      await cut('countersign');
      await settings.set('lost too', 'x');
    });
    await expect(lost).rejects.toMatchObject({ fault: 'unavailable' });
    await expect
      .poll(() => here.settings.get('lost').catch(() => 'not yet'), { timeout: 5000 })
      .toBeUndefined();
  });

  it('pass on what a transaction rejects with, also when its connection was lost', async () => {
    const failing = here.transaction(async ({ settings }) => {
      await settings.set('never', 'x');
      await cut('countersign');
      throw new RangeError('my own');
    });
    await expect(failing).rejects.toThrow(RangeError);
    await expect
      .poll(() => here.settings.get('never').catch(() => 'not yet'), { timeout: 5000 })
      .toBeUndefined();
  });

  it('both get through when they lock two rows in opposite order', async () => {
    const names = [freshId('setting'), freshId('setting')] as const;
    for (const name of names) await here.settings.set(name, 'before');
    let held = 0;
    let meet: () => void = () => undefined;
    const met = new Promise<void>((resolve) => {
      meet = resolve;
    });
    let runs = 0;
    const both = (node: Storage, order: readonly string[], value: string): Promise<void> =>
      node.transaction(async ({ settings }) => {
        runs++;
        for (const name of order) {
          await settings.set(name, value);
          // Each waits until the other holds its first row: from here on only a retry helps.
          if (++held === 2) meet();
          await met;
        }
      });
    const [a, b] = names;
    await Promise.all([both(here, [a, b], 'here'), both(there, [b, a], 'there')]);
    expect(runs).toBe(3);
    expect(await here.settings.get(a)).toBe(await here.settings.get(b));
  });

  it('let one of all claims win, and share one row of cut-offs without a gap', async () => {
    const id = freshId('jti');
    const claims = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        (index % 2 ? here : there).usedOnce.claim('jti', id, Date.now() + 60_000, 'payments'),
      ),
    );
    expect(claims.filter((claim) => claim)).toHaveLength(1);
    const start = await here.cutoffs.head();
    const append = (node: Storage) =>
      node.cutoffs.append({
        id: freshId('cut'),
        kind: 'token',
        target: 'x',
        notBefore: 1,
        reason: 'x',
        orderedBy: 'ada',
        createdAt: T0,
      });
    const entries = await Promise.all(
      Array.from({ length: 40 }, (_, index) => append(index % 2 ? here : there)),
    );
    const cursors = entries.map((entry) => entry.cursor).sort((x, y) => x - y);
    expect(cursors).toEqual(cursors.map((_, index) => start + index + 1));
  });

  it('count the proofs of a client each for itself, and none of them for another client', async () => {
    const nodes = await Promise.all([0, 1].map(() => openPostgresStorage({ url, proofShare: 3 })));
    const claim = (node: Storage | undefined, holder: string) =>
      node?.usedOnce.claim('jti', freshId('jti'), Date.now() + 60_000, holder);
    for (const node of nodes) {
      for (let at = 0; at < 3; at++) expect(await claim(node, 'flood')).toBe(true);
      await expect(claim(node, 'flood')).rejects.toBeInstanceOf(ProofShareUsedUp);
      expect(await claim(node, 'payments')).toBe(true);
    }
    // Whoever was used before is refused for that, and takes no share: it is no proof.
    const id = freshId('jti');
    for (const expected of [true, false, false, false, false])
      expect(await nodes[0]?.usedOnce.claim('jti', id, Date.now() + 60_000, 'again')).toBe(expected);
    await Promise.all(nodes.map((node) => node.close()));
  });

  it('serve more transactions than they have connections', async () => {
    const names = Array.from({ length: 30 }, () => freshId('setting'));
    await Promise.all(
      names.map((name) =>
        there.transaction(async ({ settings }) => {
          await settings.set(name, 'x');
          await settings.get(name);
        }),
      ),
    );
    for (const name of names) expect(await here.settings.get(name)).toBe('x');
  });

  it('refuse a database that a newer version has changed', async () => {
    const newer = await databases.create();
    await (await openPostgresStorage({ url: newer })).close();
    await databases.run("INSERT INTO schema_migrations VALUES ('9999-of-tomorrow', 99, 0)", newer);
    await expect(openPostgresStorage({ url: newer })).rejects.toThrow('9999-of-tomorrow');
  });

  it.skipIf(!existsSync(built))(
    'keep what a killed node had acknowledged, and nothing half done (needs a build)',
    async () => {
      const program = `
      import { openPostgresStorage } from ${JSON.stringify(built.href)};
      const storage = await openPostgresStorage({ url: ${JSON.stringify(url)} });
      for (let index = 0; ; index++) {
        await storage.transaction(async ({ settings }) => {
          await settings.set('killed ' + index + ' left', 'x');
          await settings.set('killed ' + index + ' right', 'x');
        });
        await new Promise((done) => process.stdout.write(index + '\\n', done));
      }`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = new Promise((resolve) => child.once('exit', resolve));
      let last = -1;
      for await (const line of createInterface({ input: child.stdout })) {
        last = Number(line);
        if (last >= 40) break;
      }
      child.kill('SIGKILL');
      await ended;
      for (let index = 0; index < last + 60; index++) {
        const [left, right] = await Promise.all(
          ['left', 'right'].map((side) => here.settings.get(`killed ${index} ${side}`)),
        );
        expect(left).toBe(right);
        if (index <= last) expect(left).toBe('x');
      }
    },
  );

  it('close once, and answer unavailable from then on', async () => {
    const node = await openPostgresStorage({ url });
    await node.close();
    await node.close();
    expect(node.coherent()).toBe(false);
    await expect(node.settings.get('a')).rejects.toMatchObject({ fault: 'unavailable' });
    await expect(node.transaction(async () => undefined)).rejects.toMatchObject({ fault: 'unavailable' });
    await expect(node.ping()).rejects.toMatchObject({ fault: 'unavailable' });
  });
});

it('a database that cannot be reached is unavailable', async () => {
  const nowhere = openPostgresStorage({ url: 'postgres://nobody@127.0.0.1:9/none' });
  await expect(nowhere).rejects.toMatchObject({ name: 'StorageError', fault: 'unavailable' });
});
