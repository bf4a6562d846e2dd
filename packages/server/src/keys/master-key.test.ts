import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStorage } from '../database/sqlite.ts';
import { pooledRandom } from '../ids.ts';
import {
  checkMasterKey,
  isReadableByOthers,
  loadMasterKey,
  MasterKeyError,
  masterKeyOf,
} from './master-key.ts';

const random = pooledRandom();
let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-master-'));
  path = join(directory, 'master.key');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the master key', () => {
  it('is made when it is missing, for its owner alone, and is the same at the next start', async () => {
    const made = await loadMasterKey(path, true, random);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
    const again = await loadMasterKey(path, true, random);
    expect(again.derive('seal')).toEqual(made.derive('seal'));
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

  it('tells when others may read its file', async () => {
    writeFileSync(path, '');
    chmodSync(path, 0o600);
    expect(await isReadableByOthers(path)).toBe(false);
    for (const mode of [0o640, 0o604, 0o660, 0o644]) {
      chmodSync(path, mode);
      expect(await isReadableByOthers(path), mode.toString(8)).toBe(true);
    }
  });

  it('is refused by a database that was begun with another one', async () => {
    const storage = await openSqliteStorage({ path: ':memory:' });
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
