import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStorage } from './sqlite.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { sqliteWriter } from './sqlite-writer.ts';
import { walSync, type WalSync } from './wal-sync.ts';
import { statement } from './database.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-wal-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a sync of the log', () => {
  it('is shared by those who come while another runs, and nobody is told before', async () => {
    const path = join(folder, 'wal');
    writeFileSync(path, '');
    const syncs: ((error: Error | null) => void)[] = [];
    const wal = walSync(path, (_, done) => void syncs.push(done));
    const told: string[] = [];
    for (const name of ['a', 'b', 'c']) void wal.flushed().then(() => told.push(name));
    await turn();
    expect([syncs.length, told]).toEqual([1, []]);
    syncs[0]?.(null);
    await turn();
    expect([syncs.length, told]).toEqual([2, ['a']]);
    syncs[1]?.(null);
    await turn();
    expect([syncs.length, told]).toEqual([2, ['a', 'b', 'c']]);
    await wal.close();
  });

  it('that fails, or of a log that is not there, is an outage', async () => {
    const wal = walSync(join(folder, 'none'));
    await expect(wal.flushed()).rejects.toMatchObject({ fault: 'unavailable' });
    writeFileSync(join(folder, 'none'), '');
    await wal.flushed();
    await wal.close();
    const failing = walSync(join(folder, 'none'), (_, done) => done(new Error('EIO')));
    await expect(failing.flushed()).rejects.toMatchObject({ fault: 'unavailable' });
    await failing.close();
  });
});

describe('a single write', () => {
  /** Writes down what is executed; every statement changes one row. */
  function recorded(): { readonly said: string[]; readonly connection: SqliteConnection } {
    const said: string[] = [];
    const connection = {
      exec: (text: string) => void said.push(text),
      run: () => 1,
      query: () => [],
      close: () => undefined,
    } satisfies SqliteConnection;
    return { said, connection };
  }
  const TEXT = statement('x', 'INSERT');

  it('is told of when it is on the disk; a transaction waits for the disk itself', async () => {
    const { said, connection } = recorded();
    let sync: (() => void) | undefined;
    const wal: WalSync = {
      flushed: () => new Promise((resolve) => (sync = resolve)),
      forget: () => undefined,
      close: async () => undefined,
    };
    const writer = sqliteWriter(() => connection, wal);
    let told = false;
    const writing = writer.run(TEXT, []).then(() => (told = true));
    await turn();
    await turn();
    expect([said, told]).toEqual([['PRAGMA synchronous = NORMAL', 'BEGIN IMMEDIATE', 'COMMIT'], false]);
    sync?.();
    await writing;
    said.length = 0;
    await writer.transaction(
      async (tx) => tx.run(TEXT, []),
      () => undefined,
    );
    expect(said).toEqual(['PRAGMA synchronous = FULL', 'BEGIN IMMEDIATE', 'COMMIT']);
    await writer.close();
  });

  it('after a sync that failed is refused, and the next one first copies the log', async () => {
    const { said, connection } = recorded();
    const answers = [() => Promise.reject(new Error('EIO')), () => Promise.resolve()];
    const wal: WalSync = {
      flushed: () => (answers.shift() as () => Promise<void>)(),
      forget: () => undefined,
      close: async () => undefined,
    };
    const writer = sqliteWriter(() => connection, wal);
    await expect(writer.run(TEXT, [])).rejects.toThrow('EIO');
    said.length = 0;
    expect(await writer.run(TEXT, [])).toBe(1);
    expect(said[0]).toBe('PRAGMA wal_checkpoint(TRUNCATE)');
    await writer.close();
  });

  it('is there after the next start', async () => {
    const options = { path: join(folder, 'a.db'), clock: { now: () => 1000 } };
    let storage = await openSqliteStorage(options);
    const claims = (id: string) => storage.usedOnce.claim('jti', id, 5000);
    expect(await Promise.all(['a', 'b', 'a'].map(claims))).toEqual([true, true, false]);
    await storage.close();
    storage = await openSqliteStorage(options);
    expect(await Promise.all(['a', 'c'].map(claims))).toEqual([false, true]);
    await storage.close();
  });
});
