import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { keyFile } from './key-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-keys-'));
let path: string;
let files = 0;
beforeEach(() => {
  path = join(folder, `key-${++files}.pem`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a file that is not there has no key yet', async () => {
  expect(await keyFile(path).read()).toEqual({ current: undefined, next: undefined });
});

test('the key in it is in use since the file was written', async () => {
  writeFileSync(path, 'first');
  utimesSync(path, 1_700_000_000, 1_700_000_000);
  expect(await keyFile(path).read()).toEqual({
    current: { key: 'first', since: 1_700_000_000 },
    next: undefined,
  });
});

test('of copies that propose a key at once one has its way, and all are told which', async () => {
  const copies = Array.from({ length: 20 }, () => keyFile(path));
  const agreed = await Promise.all(copies.map((store, index) => store.propose(`key ${index}`)));
  expect(new Set(agreed).size).toBe(1);
  expect((await keyFile(path).read()).next).toBe(agreed[0]);
  // Nothing of the others is left, and nobody but the owner can read it.
  const names = readdirSync(folder).filter((name) => name.startsWith(`key-${files}.`));
  expect(names).toEqual([`key-${files}.pem.next`]);
  expect(statSync(`${path}.next`).mode & 0o777).toBe(0o600);
});

test('the next key takes the place of the present one, once', async () => {
  const store = keyFile(path);
  writeFileSync(path, 'first');
  await store.propose('second');
  await Promise.all([store.promote('second'), keyFile(path).promote('second'), store.promote('other')]);
  expect(readFileSync(path, 'utf8')).toBe('second');
  expect((await store.read()).next).toBeUndefined();
  await store.promote('second');
  expect(readFileSync(path, 'utf8')).toBe('second');
});

test('a key that will never work makes room for another, and takes no other with it', async () => {
  const store = keyFile(path);
  await store.propose('second');
  await store.discard('other');
  expect(await store.propose('third')).toBe('second');
  await store.discard('second');
  expect(await store.propose('third')).toBe('third');
});

test('what cannot be written is said', async () => {
  await expect(keyFile(join(folder, 'nowhere', 'key')).propose('x')).rejects.toThrow('ENOENT');
});
