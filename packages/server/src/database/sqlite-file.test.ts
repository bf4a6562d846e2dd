import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificateAuthorityRecord } from '../storage/contract/certificates.ts';
import { identityRecord } from '../storage/contract/records.ts';
import { isRecentEnough, loadSqlite, sqliteCode } from './sqlite-driver.ts';
import { openSqliteStorage } from './sqlite.ts';

let directory: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-file-'));
  path = join(directory, 'countersign.db');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const built = new URL('../../dist/database/sqlite.js', import.meta.url);

/** A process with the storage open, that does as the script says; `say` and `hear` are lines of its output and input. */
function startProcess(script: string): {
  child: ChildProcess;
  line: () => Promise<string>;
  ended: Promise<unknown>;
} {
  const program = `
    import { openSqliteStorage } from ${JSON.stringify(built.href)};
    import { createInterface } from 'node:readline';
    const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const hear = async () => (await input.next()).value;
    const say = (text) => new Promise((done) => process.stdout.write(text + '\\n', done));
    const storage = await openSqliteStorage({ path: ${JSON.stringify(path)} });
    ${script}
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return {
    child,
    line: async () => String((await lines.next()).value),
    ended: new Promise((resolve) => child.once('exit', resolve)),
  };
}

describe('the database file', () => {
  it('is readable by its owner alone', async () => {
    const storage = await openSqliteStorage({ path });
    await storage.settings.set('a', 'b');
    for (const suffix of ['', '-wal', '.lock'])
      expect(statSync(path + suffix).mode & 0o777, suffix).toBe(0o600);
    await storage.close();
  });

  it('keeps what was written, and gives it to the next process', async () => {
    const first = await openSqliteStorage({ path });
    const record = identityRecord();
    await first.identities.insert(record);
    await first.close();
    expect(statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
    const second = await openSqliteStorage({ path });
    expect(await second.identities.byId(record.id)).toStrictEqual(record);
    await second.close();
  });

  it('is refused to a second authority, and free again after the first has closed', async () => {
    const first = await openSqliteStorage({ path });
    await expect(openSqliteStorage({ path })).rejects.toThrow('another authority runs on this data');
    await first.settings.set('still', 'mine');
    await first.close();
    await (await openSqliteStorage({ path })).close();
  });

  it('answers unavailable after it was closed', async () => {
    const storage = await openSqliteStorage({ path });
    const last = storage.settings.set('last', 'word');
    await storage.close();
    await last;
    await storage.close();
    const closed = { fault: 'unavailable', detail: 'closed' };
    await expect(storage.settings.get('last')).rejects.toMatchObject(closed);
    await expect(storage.settings.set('a', 'b')).rejects.toMatchObject(closed);
    await expect(storage.transaction(async () => undefined)).rejects.toMatchObject(closed);
    await expect(storage.ping()).rejects.toMatchObject(closed);
  });

  it('is refused when it is no database, and when a newer version has changed it', async () => {
    writeFileSync(path, 'no database '.repeat(1000));
    await expect(openSqliteStorage({ path })).rejects.toThrow(/cannot be opened: not a database/);
    rmSync(path);
    await (await openSqliteStorage({ path })).close();
    const database = (await loadSqlite()).open(path);
    database.exec("INSERT INTO schema_migrations VALUES ('9999-of-tomorrow', 99, 0)");
    database.close();
    await expect(openSqliteStorage({ path })).rejects.toThrow('9999-of-tomorrow');
    // The lock was let go of: the same answer, not the other one.
    await expect(openSqliteStorage({ path })).rejects.toThrow('9999-of-tomorrow');
  });

  it('is checked after a crash, and only then', async () => {
    const first = await openSqliteStorage({ path });
    await first.transaction(async ({ identities }) => {
      for (let index = 0; index < 500; index++) await identities.insert(identityRecord());
    });
    await first.close();
    const bytes = readFileSync(path);
    rmSync(path);
    writeFileSync(path, bytes.fill(0x5a, bytes.length - 3 * 4096));
    await (await openSqliteStorage({ path })).close();
    writeFileSync(`${path}-wal`, 'left by a crash');
    await expect(openSqliteStorage({ path })).rejects.toThrow('is damaged');
  });
});

describe.skipIf(!existsSync(built))('a process of its own (needs a build)', () => {
  it('refuses a second authority until it is killed, and leaves no lock behind', async () => {
    const other = startProcess(`await say('open'); await hear();`);
    expect(await other.line()).toBe('open');
    await expect(openSqliteStorage({ path })).rejects.toThrow('another authority runs on this data');
    other.child.kill('SIGKILL');
    await other.ended;
    await (await openSqliteStorage({ path })).close();
  });

  it('loses nothing that was acknowledged and keeps nothing half done when it is killed at any instant', async () => {
    for (let round = 0; round < 5; round++) {
      const other = startProcess(`
        for (let index = 0; ; index++) {
          const name = 'round ${round} ' + index;
          await storage.transaction(async ({ settings }) => {
            await settings.set(name + ' left', 'x');
            await settings.set(name + ' right', 'x');
          });
          await say(name);
        }`);
      const acknowledged: string[] = [];
      while (acknowledged.length < 20 + round * 7) acknowledged.push(await other.line());
      other.child.kill('SIGKILL');
      await other.ended;
      const storage = await openSqliteStorage({ path });
      for (const name of acknowledged) expect(await storage.settings.get(`${name} right`), name).toBe('x');
      for (let index = 0; index < acknowledged.length + 100; index++) {
        const [left, right] = await Promise.all(
          ['left', 'right'].map((side) => storage.settings.get(`round ${round} ${index} ${side}`)),
        );
        expect(left).toBe(right);
      }
      await storage.close();
    }
  });

  it('keeps nothing of a transaction that it died in', async () => {
    const other = startProcess(`
      await storage.transaction(async ({ settings }) => {
        await settings.set('half', 'done');
        process.kill(process.pid, 'SIGKILL');
        await new Promise(() => undefined);
      });`);
    await other.ended;
    const storage = await openSqliteStorage({ path });
    expect(await storage.settings.get('half')).toBeUndefined();
    await storage.close();
  });

  const limited = process.platform === 'linux' && existsSync('/usr/bin/prlimit');
  it.skipIf(!limited)(
    'answers unavailable on a full disk and goes on when there is space (needs prlimit)',
    async () => {
      const other = startProcess(`
      const fault = async (write) => { try { await write; return 'written'; } catch (error) { return error.fault; } };
      const large = 'x'.repeat(300_000);
      // Without it the signal of a reached file size would end the process; now the write fails, as on a full disk.
      process.on('SIGXFSZ', () => undefined);
      await storage.settings.set('before', 'x');
      await say('ready');
      await hear();
      await say(await fault(storage.settings.set('large', large)));
      await say(await fault(storage.transaction(async ({ settings }) => {
        await settings.set('small', 'x');
        await settings.set('large', large);
      })));
      await say(await fault(storage.identities.byId('x').then(() => storage.settings.get('before'))));
      await hear();
      await say(await fault(storage.settings.set('after', large)));
      await say(String(await storage.settings.get('large')) + String(await storage.settings.get('small')));
      await storage.close();
    `);
      const allow = (bytes: string): unknown =>
        execFileSync('/usr/bin/prlimit', ['--pid', String(other.child.pid), `--fsize=${bytes}`]);
      expect(await other.line()).toBe('ready');
      const size = Math.max(statSync(path).size, statSync(`${path}-wal`).size);
      allow(`${size + 50_000}:unlimited`);
      other.child.stdin?.write('full\n');
      expect(await other.line()).toBe('unavailable');
      expect(await other.line()).toBe('unavailable');
      expect(await other.line()).toBe('written');
      allow('unlimited:unlimited');
      other.child.stdin?.write('space\n');
      expect(await other.line()).toBe('written');
      expect(await other.line()).toBe('undefinedundefined');
      other.child.stdin?.end();
      expect(await other.ended).toBe(0);
      const storage = await openSqliteStorage({ path });
      expect(await storage.settings.get('after')).toHaveLength(300_000);
      await storage.close();
    },
  );
});

describe('SQLite itself', () => {
  it('is refused when it is older than the fix of the WAL-reset bug', () => {
    for (const version of ['3.51.2', '3.45.1', '3.9.99', '2.99.99', '3.51', ''])
      expect(isRecentEnough(version)).toBe(false);
    for (const version of ['3.51.3', '3.51.10', '3.52.0', '3.53.4', '4.0.0'])
      expect(isRecentEnough(version)).toBe(true);
  });

  it('tells its result codes by every way of asking', async () => {
    const database = (await loadSqlite()).open(':memory:');
    database.exec('CREATE TABLE t (a TEXT PRIMARY KEY, b TEXT UNIQUE); INSERT INTO t VALUES (1, 1)');
    const codeOf = (act: () => unknown): number | undefined => {
      try {
        act();
        return undefined;
      } catch (error) {
        return sqliteCode(error);
      }
    };
    const insert = 'INSERT INTO t VALUES (2, 1)';
    expect(codeOf(() => database.exec(insert))).toBe(2067);
    expect(codeOf(() => database.prepare(insert).run())).toBe(2067);
    expect(codeOf(() => database.prepare(`${insert} RETURNING a`).all())).toBe(2067);
    database.exec('PRAGMA max_page_count = 1');
    const large = "INSERT INTO t VALUES (hex(zeroblob(90000)), 'x')";
    expect(codeOf(() => database.prepare(large).run())).toBe(13);
    expect(codeOf(() => database.prepare(`${large} RETURNING b`).all())).toBe(13);
    expect(sqliteCode(new Error('disk I/O error'))).toBeUndefined();
    database.close();
  });
});

describe('what was overwritten', () => {
  it('stands in no file any more once the storage was told so, and all else is as it was', async () => {
    const storage = await openSqliteStorage({ path });
    const secret = `v1.${'gone'.repeat(60)}`;
    const record = certificateAuthorityRecord({ sealedPrivateKey: secret });
    await storage.certificateAuthorities.insert(record);
    const next = { ...record, sealedPrivateKey: undefined, version: 2 };
    await storage.certificateAuthorities.replace(next);
    await storage.scrub();
    for (const file of readdirSync(directory))
      expect(readFileSync(join(directory, file), 'latin1'), file).not.toContain('gonegone');
    expect(await storage.certificateAuthorities.live()).toEqual([next]);
    await storage.close();
    for (const file of readdirSync(directory))
      expect(readFileSync(join(directory, file), 'latin1'), file).not.toContain('gonegone');
  });
});
