import {
  indexCutoffs,
  parseCompactJws,
  parseCutoffFeed,
  type CutoffFeed as Claims,
} from '@countersign/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openMemoryStorage } from '../../test/memory-storage.ts';
import { pooledRandom } from '../ids.ts';
import type { Storage } from '../storage/storage.ts';
import { createCutoffFeed, type CutoffFeed } from './feed.ts';
import { createCutoffLedger, type CutoffLedger } from './ledger.ts';
import { orderCutoff } from './order.ts';

const START = Date.parse('2026-11-21T12:00:00.900Z');
const SECOND = Math.floor(START / 1000);
const ISSUER = 'https://authority.test';

let now: number;
let storage: Storage;
let ledger: CutoffLedger;
let feed: CutoffFeed;
let signatures: number;
let reads: number;

function counted(...asked: Parameters<Storage['cutoffs']['after']>): ReturnType<Storage['cutoffs']['after']> {
  reads++;
  return storage.cutoffs.after(...asked);
}

async function sign(alg: string, typ: string, payload: string): Promise<string> {
  signatures++;
  const part = (text: string): string => Buffer.from(text).toString('base64url');
  return `${part(JSON.stringify({ alg, typ, kid: 'k' }))}.${part(payload)}.AAAA`;
}

beforeEach(async () => {
  now = START;
  signatures = 0;
  reads = 0;
  storage = await openMemoryStorage();
  const clock = { now: () => now };
  ledger = createCutoffLedger({
    storage: {
      cutoffs: { ...storage.cutoffs, after: counted },
      onChange: storage.onChange,
      coherent: () => storage.coherent(),
    },
    clock,
  });
  feed = createCutoffFeed({ ledger, keystore: { sign }, clock, issuer: ISSUER });
});
afterEach(async () => {
  feed.drain();
  ledger.close();
  await storage.close();
});

async function order(target: string, kind: 'identity' | 'token' = 'identity'): Promise<void> {
  const deps = { clock: { now: () => now }, random: pooledRandom() };
  await storage.transaction((stores) =>
    orderCutoff(deps, stores, { kind, target, reason: 'leak', orderedBy: 'admin' }),
  );
}

/** The feed of another node on the same database, which is told of changes when `tell` is called. */
function lagging(): { readonly tell: () => void; readonly late: CutoffFeed } {
  const listeners: Parameters<Storage['onChange']>[0][] = [];
  const behind = createCutoffLedger({
    storage: {
      cutoffs: { ...storage.cutoffs, after: counted },
      onChange: (listener) => {
        listeners.push(listener);
        return () => undefined;
      },
      coherent: () => true,
    },
    clock: { now: () => now },
  });
  const late = createCutoffFeed({
    ledger: behind,
    keystore: { sign },
    clock: { now: () => now },
    issuer: ISSUER,
  });
  return { late, tell: () => listeners.forEach((each) => each({ kind: 'cutoffs' })) };
}

async function readFrom(of: CutoffFeed, after: number): Promise<object> {
  const { from, cursor, entries } = claimsOf(await of.read(after, 0, { source: SOURCE, proven: false }));
  return { from, cursor, entries: entries.length };
}

const SOURCE = '192.0.2.1';
/** So many that no one of them has used up its room. */
const oneOfMany = (i: number): string => `198.51.100.${i % 200}`;

async function read(after: number, wait = 0, source = SOURCE, signal?: AbortSignal): Promise<Claims> {
  return claimsOf(await feed.read(after, wait, { source, proven: false }, signal));
}

function claimsOf(page: string): Claims {
  const jws = parseCompactJws(page, 10_000_000);
  if (!jws.ok) throw new Error(jws.fault);
  expect(jws.header).toMatchObject({ alg: 'ES256', typ: 'cutoffs+jwt' });
  const parsed = parseCutoffFeed(jws.payload);
  if (!parsed.ok) throw new Error(parsed.fault);
  return parsed.feed;
}

test('strangers who ask for long pages from every cursor fill no memory with them', async () => {
  const entry = (i: number) => ({
    kind: 'token' as const,
    id: `${i}`.padStart(200, 'x'),
    not_before: SECOND,
  });
  const entries = Array.from({ length: 10_000 }, (_, i) => ({ cursor: i + 1, entry: entry(i) }));
  const state = { entries, head: entries.length, index: indexCutoffs([]) };
  let signed = 0;
  const long = createCutoffFeed({
    ledger: {
      current: () => Promise.resolve(state),
      onChange: () => () => undefined,
      close: () => undefined,
    },
    keystore: {
      sign: (_alg, _typ, payload) => {
        signed++;
        return Promise.resolve(payload);
      },
    },
    clock: { now: () => START },
    issuer: ISSUER,
  });
  const ask = (after: number): Promise<string> => long.read(after, 0, { source: SOURCE, proven: false });
  await ask(0);
  await ask(0);
  expect(signed).toBe(1);
  for (let after = 1; after <= 20; after++) await ask(after);
  expect(signed).toBe(21);
  await ask(0);
  expect(signed).toBe(22);
});

test('with nothing ordered there is a heartbeat at cursor 0', async () => {
  expect(await read(0)).toEqual({
    iss: ISSUER,
    iat: SECOND,
    exp: SECOND + 60,
    from: 0,
    cursor: 0,
    entries: [],
  });
});

test('an order reaches to the end of the second after it began, so that no token slips through', async () => {
  await order('payments');
  const page = await read(0);
  expect(page.entries).toEqual([{ kind: 'identity', id: 'payments', not_before: SECOND + 1 }]);
  expect(page.cursor).toBe(1);
});

test('a follower gets what is new to it, and only that', async () => {
  await order('a');
  await order('b');
  await order('stolen', 'token');
  expect((await read(1)).entries.map((each) => each.id)).toEqual(['b', 'stolen']);
  expect((await read(3)).entries).toEqual([]);
});

test('who waits is woken by an order, at once', async () => {
  const waiting = read(0, 25);
  await expect.poll(() => feed.waiting()).toBe(1);
  const begin = performance.now();
  await order('payments');
  expect((await waiting).entries.map((each) => each.id)).toEqual(['payments']);
  expect(performance.now() - begin).toBeLessThan(1000);
  expect(feed.waiting()).toBe(0);
});

test('an order between the reading and the waiting is not slept over', async () => {
  const waiting = read(0, 25);
  await order('payments');
  expect((await waiting).cursor).toBe(1);
});

test('silence ends in a heartbeat after the time asked for', async () => {
  const begin = performance.now();
  expect((await read(0, 0.1)).entries).toEqual([]);
  expect(performance.now() - begin).toBeGreaterThan(80);
});

test('a thousand followers of one cursor cost one signature and one reading', async () => {
  await read(0);
  reads = 0;
  signatures = 0;
  const followers = Array.from({ length: 1000 }, (_, i) => read(0, 25, oneOfMany(i)));
  await expect.poll(() => feed.waiting()).toBe(1000);
  await order('payments');
  const pages = await Promise.all(followers);
  expect(new Set(pages.map((page) => page.cursor))).toEqual(new Set([1]));
  expect([reads, signatures]).toEqual([1, 1]);
});

test('who goes away waits no longer', async () => {
  const gone = new AbortController();
  const waiting = read(0, 25, SOURCE, gone.signal);
  await expect.poll(() => feed.waiting()).toBe(1);
  gone.abort();
  await waiting;
  expect(feed.waiting()).toBe(0);
});

test('draining answers everybody, and from then on at once', async () => {
  const waiting = read(0, 25);
  await expect.poll(() => feed.waiting()).toBe(1);
  feed.drain();
  expect((await waiting).entries).toEqual([]);
  expect((await read(0, 25)).entries).toEqual([]);
});

async function fill(
  followers: number,
  sourceOf: (i: number) => string,
  proven = false,
): Promise<Promise<unknown>[]> {
  const before = feed.waiting();
  const waiting = Array.from({ length: followers }, (_, i) =>
    feed.read(0, 25, { source: sourceOf(i), proven }),
  );
  await expect.poll(() => feed.waiting()).toBe(before + followers);
  return waiting;
}

test('whoever comes when all room to wait is taken gets the signed page at once, and the orders with it', async () => {
  const followers = await fill(5000, oneOfMany);
  const begin = performance.now();
  expect(await read(0, 25)).toMatchObject({ cursor: 0, entries: [] });
  expect(performance.now() - begin).toBeLessThan(1000);
  expect(feed.waiting()).toBe(5000);
  await order('payments');
  expect((await read(0, 25)).entries.map((each) => each.id)).toEqual(['payments']);
  await Promise.all(followers);
});

test('one source can take the room of 250 and no more; others wait as before', async () => {
  const followers = await fill(250, () => SOURCE);
  expect((await read(0, 25)).entries).toEqual([]);
  expect(feed.waiting()).toBe(250);
  const other = read(0, 25, '192.0.2.2');
  await expect.poll(() => feed.waiting()).toBe(251);
  await order('payments');
  await Promise.all([...followers, other]);
  // Its room is free again.
  const late = Array.from({ length: 250 }, () => feed.read(1, 25, { source: SOURCE, proven: false }));
  await expect.poll(() => feed.waiting()).toBe(250);
  feed.drain();
  await Promise.all(late);
});

test('who proved whose verifier it is waits however many strangers do, a thousand of one API', async () => {
  const strangers = await fill(5000, oneOfMany);
  const proven = await fill(1000, () => 'rsv_1', true);
  expect((await feed.read(0, 25, { source: 'rsv_1', proven: true })).length).toBeGreaterThan(0);
  expect(feed.waiting()).toBe(6000);
  const other = await fill(1, () => 'rsv_2', true);
  feed.drain();
  await Promise.all([...strangers, ...proven, ...other]);
});

test('a cursor of another life is answered with everything', async () => {
  await order('a');
  expect(await read(99)).toMatchObject({ from: 0, cursor: 1, entries: [{ id: 'a' }] });
});

test('a follower that another node told of an order is not told that it never was, where word of it is on its way', async () => {
  const { tell, late } = lagging();
  expect(await readFrom(late, 0)).toEqual({ from: 0, cursor: 0, entries: 0 });
  await order('payments');
  expect(await readFrom(late, 1)).toEqual({ from: 1, cursor: 1, entries: 0 });
  // Whoever makes a cursor up does not have the database asked each time.
  const before = reads;
  for (let i = 0; i < 50; i++) expect(await readFrom(late, 9)).toEqual({ from: 0, cursor: 1, entries: 1 });
  expect(reads - before).toBeLessThan(4);
  tell();
  expect(await readFrom(late, 1)).toEqual({ from: 1, cursor: 1, entries: 0 });
});

test('what no living token can concern any more is left out, the cursor goes on', async () => {
  await order('a');
  await read(0);
  now += 2 * 86_400_000;
  expect(await read(0)).toMatchObject({ cursor: 1, entries: [] });
  const fresh = createCutoffLedger({ storage, clock: { now: () => now } });
  expect(await fresh.current()).toMatchObject({ head: 1, entries: [] });
});

test('a ledger whose database cannot promise to tell asks each time', async () => {
  await order('a');
  let coherent = true;
  const deaf = createCutoffLedger({
    storage: { cutoffs: storage.cutoffs, onChange: () => () => undefined, coherent: () => coherent },
    clock: { now: () => now },
  });
  expect((await deaf.current()).head).toBe(1);
  await order('b');
  expect((await deaf.current()).head).toBe(1);
  coherent = false;
  expect((await deaf.current()).head).toBe(2);
});
