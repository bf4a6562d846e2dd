import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createSecretFile, isReadableByOthers, replaceSecretFile } from './secret-file.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-secret-'));
  path = join(folder, 'a.secret');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a new secret is whole, for its owner alone, and alone in its folder', async () => {
  await createSecretFile(path, 'secret\n');
  expect(readFileSync(path, 'utf8')).toBe('secret\n');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['a.secret']);
});

it('a file that is there stays as it is', async () => {
  writeFileSync(path, 'in use');
  await expect(createSecretFile(path, 'secret\n')).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(path, 'utf8')).toBe('in use');
  expect(readdirSync(folder)).toEqual(['a.secret']);
});

it('of many who make it at once one does, and the others are told', async () => {
  const all = await Promise.allSettled([1, 2, 3, 4].map((i) => createSecretFile(path, `secret ${i}`)));
  const won = all.findIndex((each) => each.status === 'fulfilled');
  expect(all.filter((each) => each.status === 'fulfilled')).toHaveLength(1);
  expect(readFileSync(path, 'utf8')).toBe(`secret ${won + 1}`);
});

it('a secret that takes the place of another is for its owner alone, whoever could read that one', async () => {
  writeFileSync(path, 'old');
  chmodSync(path, 0o666);
  await replaceSecretFile(path, 'new');
  expect(readFileSync(path, 'utf8')).toBe('new');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['a.secret']);
});

it('tells when others may read a file', async () => {
  writeFileSync(path, '');
  chmodSync(path, 0o600);
  expect(await isReadableByOthers(path)).toBe(false);
  for (const mode of [0o640, 0o604, 0o660, 0o644]) {
    chmodSync(path, mode);
    expect(await isReadableByOthers(path), mode.toString(8)).toBe(true);
  }
});
