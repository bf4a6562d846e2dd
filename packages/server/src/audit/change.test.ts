import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalJson } from '@countersign/tlog';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventsIn } from '../../test/segments.ts';
import { openAuditIndex } from '../database/audit-index.ts';
import { openMemoryStorage } from '../../test/memory-storage.ts';
import { deliverOutbox } from '../governance/jobs/deliver-outbox.ts';
import { pooledRandom } from '../ids.ts';
import { StorageError } from '../storage/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { createChanges, type Actor, type ChangeDeps, type Changes } from './change.ts';
import type { AuditEvent } from './event.ts';
import { createAuditLog } from './group-commit.ts';
import type { AuditLog } from './log.ts';
import { openSegmentFileSink } from './segment-file.ts';
import { AuditUnavailable } from './sink.ts';

const NOW = Date.parse('2026-11-21T12:00:00.250Z');
const ADMIN: Actor = {
  identity: 'admin',
  credential: 'crd_1',
  access: 'acs_1',
  requestId: 'req_1',
  source: '192.0.2.1',
  instance: 'boot-1',
};

let storage: Storage;
let appended: AuditEvent[];
let refuses: boolean;
const log: Pick<AuditLog, 'append'> = {
  async append(event) {
    if (refuses) throw new AuditUnavailable('disk full');
    appended.push(event);
  },
};

beforeEach(async () => {
  appended = [];
  refuses = false;
  storage = await openMemoryStorage();
});
afterEach(() => storage.close());

function changesOn(deps: Partial<ChangeDeps> = {}): Changes {
  return createChanges({
    storage,
    log,
    clock: { now: () => NOW },
    random: pooledRandom(),
    node: 'n1',
    ...deps,
  });
}
const pending = (): ReturnType<Storage['outbox']['pending']> => storage.outbox.pending(NOW, 100);

describe('a change', () => {
  it('is told to the log before it is acknowledged, with who did what', async () => {
    const result = await changesOn().run(ADMIN, async (stores, tell) => {
      await stores.settings.set('colour', 'red');
      tell({
        type: 'setting.changed',
        resource: 'colour',
        reason: 'a "whim"',
        before: { z: 1, a: undefined, list: ['ß', null] },
        after: { colour: 'red' },
      });
      tell({ type: 'setting.noted', resource: 'colour' });
      return 'done';
    });
    expect(result).toBe('done');
    expect(await storage.settings.get('colour')).toBe('red');
    expect(await pending()).toEqual([]);
    const by = {
      at: '2026-11-21T12:00:00.250Z',
      outcome: 'success',
      identity: 'admin',
      credential: 'crd_1',
      access: 'acs_1',
      request_id: 'req_1',
      source: '192.0.2.1',
      instance: 'boot-1',
      node: 'n1',
      resource: 'colour',
    };
    const detail = canonicalJson({ before: { z: 1, list: ['ß', null] }, after: { colour: 'red' } });
    expect(appended).toEqual([
      {
        ...by,
        id: expect.stringMatching(/^evt_[0-9a-z]{20}$/),
        type: 'setting.changed',
        reason: 'a "whim"',
        detail,
      },
      { ...by, id: expect.stringMatching(/^evt_/), type: 'setting.noted' },
    ]);
    expect(appended[0]?.id).not.toBe(appended[1]?.id);
  });

  it('has its events in the same transaction: while the log has not answered they stand in the outbox', async () => {
    let answer = (): void => undefined;
    const slow = { append: () => new Promise<void>((resolve) => (answer = resolve)) };
    let acknowledged = false;
    const running = changesOn({ log: slow })
      .run(ADMIN, async (stores, tell) => {
        tell({ type: 'setting.changed', resource: 'colour' });
        await stores.settings.set('colour', 'red');
        expect(await stores.outbox.pending(NOW, 10)).toEqual([]);
      })
      .then(() => (acknowledged = true));
    await expect.poll(pending).toHaveLength(1);
    const [row] = await pending();
    expect(JSON.parse(row?.body ?? '')).toMatchObject({
      id: row?.eventId,
      type: 'setting.changed',
      identity: 'admin',
    });
    expect([await storage.settings.get('colour'), acknowledged]).toEqual(['red', false]);
    answer();
    await running;
    expect(await pending()).toEqual([]);
  });

  it('that fails leaves neither itself nor an event', async () => {
    const failing = changesOn().run(ADMIN, async (stores, tell) => {
      await stores.settings.set('colour', 'red');
      tell({ type: 'setting.changed', resource: 'colour' });
      throw new Error('second thoughts');
    });
    await expect(failing).rejects.toThrow('second thoughts');
    expect([await storage.settings.get('colour'), await pending(), appended]).toEqual([undefined, [], []]);
  });

  it('whose event cannot be written down is not made', async () => {
    const failing = changesOn().run(ADMIN, async (stores, tell) => {
      await stores.settings.set('colour', 'red');
      tell({ type: 'setting.changed', resource: 'colour', after: { half: '\ud800' } });
    });
    await expect(failing).rejects.toThrow('half a surrogate pair');
    expect([await storage.settings.get('colour'), await pending()]).toEqual([undefined, []]);
  });

  it('that has to begin again in the database tells only what its last run told', async () => {
    let runs = 0;
    const twice: ChangeDeps['storage'] = {
      outbox: storage.outbox,
      async transaction(work) {
        await storage
          .transaction(async (stores) => {
            await work(stores);
            throw new Error('another node was in the way');
          })
          .catch(() => undefined);
        return await storage.transaction(work);
      },
    };
    await changesOn({ storage: twice }).run(ADMIN, async (_stores, tell) => {
      runs++;
      tell({ type: `setting.changed_${runs}`, resource: 'colour' });
    });
    expect(appended.map((event) => event.type)).toEqual(['setting.changed_2']);
    expect(await pending()).toEqual([]);
  });

  it('stays when the log refuses, is told to its caller as AuditUnavailable, and its event follows', async () => {
    refuses = true;
    const running = changesOn().run(ADMIN, async (stores, tell) => {
      await stores.settings.set('colour', 'red');
      tell({ type: 'setting.changed', resource: 'colour' });
      tell({ type: 'setting.noted', resource: 'colour' });
    });
    await expect(running).rejects.toBeInstanceOf(AuditUnavailable);
    expect(await storage.settings.get('colour')).toBe('red');
    expect(await pending()).toHaveLength(2);
    refuses = false;
    const known = async (): Promise<ReadonlySet<string>> => new Set(appended.map((event) => event.id));
    const deps = { storage, log: { ...log, known }, clock: { now: () => NOW } };
    expect(await deliverOutbox(deps, NOW)).toBe(2);
    expect(appended.map((event) => event.type)).toEqual(['setting.changed', 'setting.noted']);
    expect([await pending(), await deliverOutbox(deps, NOW)]).toEqual([[], 0]);
  });

  it('without anything to tell is a change none the less', async () => {
    await changesOn().run(ADMIN, (stores) => stores.settings.set('colour', 'red'));
    expect([await storage.settings.get('colour'), appended]).toEqual(['red', []]);
  });
});

describe('a process that dies in the middle of a change', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'countersign-change-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** The log as a start finds it. */
  async function start(): Promise<AuditLog> {
    const index = await openAuditIndex({ directory, path: join(directory, 'index.db'), inProcess: true });
    const sink = await openSegmentFileSink({ directory, index });
    return createAuditLog(sink, () => undefined);
  }
  const change = (changes: Changes): Promise<void> =>
    changes.run(ADMIN, async (stores, tell) => {
      await stores.settings.set('colour', 'red');
      tell({ type: 'setting.changed', resource: 'colour', reason: 'a "whim"' });
    });
  /** What the next start does. */
  async function startAgain(): Promise<number> {
    const next = await start();
    const delivered = await deliverOutbox({ storage, log: next, clock: { now: () => NOW } }, NOW);
    await next.close();
    return delivered;
  }

  it('before its event reached the log: the next start brings it there, once', async () => {
    void change(changesOn({ log: { append: () => new Promise<void>(() => undefined) } }));
    await expect.poll(pending).toHaveLength(1);
    const [row] = await pending();
    expect([await startAgain(), await startAgain()]).toEqual([1, 0]);
    expect(eventsIn(directory)).toMatchObject([{ id: row?.eventId, seq: 1, reason: 'a "whim"' }]);
  });

  it('after its event reached the log: the next start sees that, and the event stays the only one', async () => {
    const first = await start();
    const dying = {
      transaction: storage.transaction.bind(storage),
      outbox: { ...storage.outbox, delete: () => Promise.reject(new StorageError('unavailable', 'gone')) },
    };
    await expect(change(changesOn({ log: first, storage: dying }))).rejects.toThrow('unavailable');
    await first.close();
    expect(await pending()).toHaveLength(1);
    expect([await startAgain(), await startAgain()]).toEqual([1, 0]);
    expect(eventsIn(directory)).toHaveLength(1);
    expect(await pending()).toEqual([]);
  });
});
