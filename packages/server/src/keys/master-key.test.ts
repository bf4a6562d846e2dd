import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMemoryStorage } from '../../test/memory-storage.ts';
import { pooledRandom } from '../ids.ts';
import { checkMasterKey, loadMasterKey, MasterKeyError, masterKeyOf } from './master-key.ts';

const random = pooledRandom();
let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-master-'));
  path = join(directory, 'master.key');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The process dies after a file was opened and before anything was written to it. */
const KILLED_WHILE_WRITING = `
  import fs from 'node:fs';
  import { randomBytes } from 'node:crypto';
  import { syncBuiltinESMExports } from 'node:module';
  fs.promises.writeFile = async (path, text, { flag }) => {
    fs.openSync(path, flag);
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => undefined);
  };
  syncBuiltinESMExports();
  const { loadMasterKey } = await import(${JSON.stringify(new URL('../../dist/keys/master-key.js', import.meta.url))});
  await loadMasterKey(process.argv[1], true, randomBytes);
`;

describe('the master key', () => {
  it('is made when it is missing, for its owner alone, and is the same at the next start', async () => {
    const made = await loadMasterKey(path, true, random);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
    const again = await loadMasterKey(path, true, random);
    expect(again.derive('seal')).toEqual(made.derive('seal'));
  });

  it('is whole or not there when its making is killed, and the next start has one', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', KILLED_WHILE_WRITING, path], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    expect((await once(child, 'close'))[1]).toBe('SIGKILL');
    expect(existsSync(path) ? readFileSync(path, 'utf8') : 'not there').toMatch(
      /^(?:[0-9a-f]{64}\n|not there)$/,
    );
    await loadMasterKey(path, true, random);
  });

  it('is one, however many starts make it at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadMasterKey(path, true, random)));
    const kept = await loadMasterKey(path, false, random);
    for (const key of keys) expect(key.derive('check')).toEqual(kept.derive('check'));
  });

  it('is not made where it has to be there', async () => {
    await expect(loadMasterKey(path, false, random)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each([
    ['nothing', ''],
    ['too little', 'ab'.repeat(31)],
    ['too much', 'ab'.repeat(33)],
    ['no hex', 'xy'.repeat(32)],
    ['two keys', `${'ab'.repeat(32)}\n${'ab'.repeat(32)}`],
  ])('is refused when its file holds %s, and the file stays', async (_, text) => {
    writeFileSync(path, text);
    await expect(loadMasterKey(path, true, random)).rejects.toBeInstanceOf(MasterKeyError);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('is read in either case, with or without a line end', async () => {
    writeFileSync(path, 'AB'.repeat(32));
    const upper = await loadMasterKey(path, false, random);
    writeFileSync(path, `${'ab'.repeat(32)}\r\n`);
    expect((await loadMasterKey(path, false, random)).derive('check')).toEqual(upper.derive('check'));
  });

  it('gives each purpose a key of its own, the same for ever', () => {
    const key = masterKeyOf(new Uint8Array(32).fill(1));
    const derived = (['seal', 'secret-hash', 'check'] as const).map((purpose) =>
      Buffer.from(key.derive(purpose)).toString('hex'),
    );
    expect(derived.every((each) => /^[0-9a-f]{64}$/.test(each))).toBe(true);
    expect(new Set(derived).size).toBe(3);
    // Pinned: another derivation would close every database there is.
    expect(derived[0]).toBe('8f307d78137f13ce20589e2c0b462198376ed77e82d7afa6c6f85d1985a6a033');
    expect(() => masterKeyOf(new Uint8Array(31))).toThrow('32 bytes');
  });

  it('is refused by a database that was begun with another one', async () => {
    const storage = await openMemoryStorage();
    const first = masterKeyOf(new Uint8Array(32).fill(1));
    await checkMasterKey(first, storage.settings);
    await checkMasterKey(first, storage.settings);
    const other = masterKeyOf(new Uint8Array(32).fill(2));
    await expect(checkMasterKey(other, storage.settings)).rejects.toThrow(
      'not the one the database was made with',
    );
    await checkMasterKey(first, storage.settings);
    await storage.close();
  });
});
