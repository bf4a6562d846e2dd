import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Storage } from '../storage/storage.ts';
import type { LogPlace, UsedOnceStore } from '../storage/used-once.ts';
import { openSqliteStorage } from './sqlite.ts';
import { statement } from './database.ts';
import { heldMarks } from './used-once-held.ts';
import { markOf } from './used-once-mark.ts';

const NOW = 1_800_000_000_000;
const UNTIL = NOW + 60_000;

/** What a log would carry: an event is appended when its token is issued, and a place is how many there are. */
function carryingLog() {
  const events: string[] = [];
  return {
    events,
    place: (): LogPlace => ({ segment: 1, offset: events.length }),
    async *marksSince({ offset }: LogPlace) {
      yield* events.slice(offset);
    },
  };
}

let folder: string;
let storage: Storage;
let log: ReturnType<typeof carryingLog>;
let copies = 0;

/** Of a process that begins: another one may have ended without a word. */
async function begin(path = join(folder, 'registry.db'), now = NOW): Promise<UsedOnceStore> {
  storage = await openSqliteStorage({ path, clock: { now: () => now } });
  const carried = await storage.usedOnce.carriedBy?.(log);
  if (carried?.hold === undefined) throw new Error('nothing can be held');
  return carried;
}

/** The files as they are at this moment, as kill -9 would leave them; the process that has them goes on. */
function copyOfNow(): string {
  const path = join(folder, `copy-${++copies}.db`);
  for (const end of ['', '-wal'])
    copyFileSync(join(folder, `registry.db.used-once${end}`), `${path}.used-once${end}`);
  return path;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'used-once-held-'));
  log = carryingLog();
});
afterEach(async () => {
  vi.useRealTimers();
  await storage.close();
  rmSync(folder, { recursive: true });
});

it('a proof that is held is used at once, for who holds and for who claims', async () => {
  const store = await begin();
  expect(store.hold?.('jti', 'a', UNTIL, 'payments')).toBeDefined();
  expect(store.hold?.('jti', 'a', UNTIL, 'payments')).toBeUndefined();
  expect(await store.claim('jti', 'a', UNTIL, 'payments')).toBe(false);
  expect(await store.claim('jti', 'b', UNTIL, 'payments')).toBe(true);
  expect(store.hold?.('jti', 'b', UNTIL, 'payments')).toBeUndefined();
});

it('what an event carries is used after a crash, though nothing else was written', async () => {
  const store = await begin();
  for (const id of ['a', 'b']) log.events.push(store.hold?.('jti', id, UNTIL, 'payments')?.mark ?? '');
  const path = copyOfNow();
  await storage.close();
  const next = await begin(path);
  expect(next.hold?.('jti', 'a', UNTIL, 'payments')).toBeUndefined();
  expect(await next.claim('jti', 'b', UNTIL, 'payments')).toBe(false);
});

it('what was carried is written down by the start that read it: the log is not read twice', async () => {
  const store = await begin();
  log.events.push(store.hold?.('jti', 'a', UNTIL, 'payments')?.mark ?? '');
  const path = copyOfNow();
  await storage.close();
  await begin(path);
  await storage.close();
  const since = vi.spyOn(log, 'marksSince');
  const third = await begin(path);
  expect(since).toHaveBeenCalledWith({ segment: 1, offset: 1 });
  expect(third.hold?.('jti', 'a', UNTIL, 'payments')).toBeUndefined();
});

it('what is kept is durable without an event', async () => {
  const store = await begin();
  await store.hold?.('jti', 'a', UNTIL, 'payments')?.keep();
  const path = copyOfNow();
  await storage.close();
  const next = await begin(path);
  expect(next.hold?.('jti', 'a', UNTIL, 'payments')).toBeUndefined();
});

it('what nobody kept and no event carries is written within two seconds all the same', async () => {
  const store = await begin();
  store.hold?.('jti', 'a', UNTIL, 'payments');
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const path = copyOfNow();
  await storage.close();
  const next = await begin(path);
  expect(next.hold?.('jti', 'a', UNTIL, 'payments')).toBeUndefined();
});

it('an end in order writes what is held', async () => {
  const store = await begin();
  store.hold?.('jti', 'a', UNTIL, 'payments');
  await storage.close();
  const next = await begin();
  expect(next.hold?.('jti', 'a', UNTIL, 'payments')).toBeUndefined();
});

it('what has expired meanwhile is not used any more', async () => {
  const store = await begin();
  log.events.push(store.hold?.('jti', 'a', UNTIL, 'payments')?.mark ?? '');
  const path = copyOfNow();
  await storage.close();
  const next = await begin(path, UNTIL + 1001);
  expect(next.hold?.('jti', 'a', UNTIL + 60_000, 'payments')).toBeDefined();
});

it('takes nothing for a mark that is none', async () => {
  await begin();
  log.events.push('', 'x', 'AAAAAAAAAAAAAAA*', 'A'.repeat(17), 'A'.repeat(4000));
  const path = copyOfNow();
  await storage.close();
  const next = await begin(path);
  expect(next.hold?.('jti', 'a', UNTIL, 'payments')).toBeDefined();
});

const select = statement('', 'SELECT 1');

it('while nothing can be written the log is read from further back, and no more is held than there is room for', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const places: unknown[] = [];
  let broken = false;
  const marks = await heldMarks({
    database: {
      query: async () => [],
      run: async (text, params) => {
        if (text !== select && params !== undefined) places.push(params);
        return 1;
      },
    },
    log,
    insert: () => (broken ? Promise.reject(new Error('full')) : Promise.resolve()),
    take: () => true,
    now: () => NOW / 1000,
  });
  expect(places).toEqual([[1, 0]]);
  broken = true;
  marks.add(markOf('jti', '1', UNTIL));
  log.events.push('one');
  await vi.advanceTimersByTimeAsync(5000);
  expect(places).toEqual([[1, 0]]);
  for (let at = 1; at < 200_000; at++) marks.add(Buffer.alloc(12));
  expect(() => marks.requireRoom()).toThrow('too many used proofs wait');
  broken = false;
  await vi.advanceTimersByTimeAsync(2000);
  expect(places).toEqual([
    [1, 0],
    [1, 1],
  ]);
  expect(() => marks.requireRoom()).not.toThrow();
  storage = await openSqliteStorage({ path: ':memory:' });
});

it('a write that lasts and fails is not passed over by the next one: until its marks are written the log is read from before them', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const places: unknown[] = [];
  const written: string[] = [];
  let fail: (error: Error) => void = () => undefined;
  let hung = false;
  const marks = await heldMarks({
    database: {
      query: async () => [],
      run: async (_text, params) => {
        if (params !== undefined) places.push(params);
        return 1;
      },
    },
    log,
    insert: async (batch) => {
      if (!hung) {
        hung = true;
        await new Promise<void>((_resolve, reject) => (fail = reject));
      }
      // Twelve bytes each, which are sixteen characters.
      const text = Buffer.from(batch.toString('base64'), 'base64').toString('base64url');
      written.push(...(text.match(/.{16}/g) ?? []));
    },
    take: () => true,
    now: () => NOW / 1000,
  });
  const [early, late] = [markOf('jti', 'early', UNTIL), markOf('jti', 'late', UNTIL)];
  marks.add(early);
  log.events.push(early.toString('base64url'));
  await vi.advanceTimersByTimeAsync(1500);
  marks.add(late);
  log.events.push(late.toString('base64url'));
  await vi.advanceTimersByTimeAsync(5000);
  fail(new Error('full'));
  await vi.advanceTimersByTimeAsync(0);
  // The first of them is nowhere but in the log.
  expect(written).not.toContain(early.toString('base64url'));
  expect(places).toEqual([[1, 0]]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(written).toEqual([early, late].map((mark) => mark.toString('base64url')));
  expect(places).toEqual([
    [1, 0],
    [1, 2],
  ]);
  storage = await openSqliteStorage({ path: ':memory:' });
});

it('the place moves where no proof is used, too: a start reads what came since, and not a year of the log', async () => {
  const store = await begin();
  log.events.push('', '', '');
  await storage.usedOnce.sweep(NOW);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const path = copyOfNow();
  await storage.close();
  const since = vi.spyOn(log, 'marksSince');
  await begin(path);
  expect(since).toHaveBeenCalledWith({ segment: 1, offset: 3 });
  expect(store.hold).toBeDefined();
});
