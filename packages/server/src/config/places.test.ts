import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { preparePlaces } from './places.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-places-'));
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'taken.json'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const prepare = (dataDir: string, readyFile?: string): Promise<void> =>
  preparePlaces({
    dataDir: join(folder, dataDir),
    readyFile: readyFile === undefined ? undefined : join(folder, readyFile),
  });

test('the data folder is made with those above it, for its owner alone; one that is there stays', async () => {
  await prepare('a/b/c', 'a/b/c/ready.json');
  expect(statSync(join(folder, 'a/b/c')).mode & 0o777).toBe(0o700);
  await prepare('a/b/c', 'a/b/c/ready.json');
});

test('processes that begin at the same moment make one', async () => {
  await Promise.all(Array.from({ length: 8 }, () => prepare('x/y/z')));
  expect(existsSync(join(folder, 'x/y/z'))).toBe(true);
});

test.each([
  ['file', undefined, 'data-dir', /names .+file, which is a file, or lies below one/],
  ['file/below', undefined, 'data-dir', /is a file, or lies below one/],
  ['data', 'none/ready.json', 'ready-file', /names .+none\/ready\.json, whose folder is not there/],
  ['data', 'file/ready.json', 'ready-file', /is a file, or lies below one/],
  ['data', 'taken.json', 'ready-file', /which is a folder/],
])('data in %s and ready file %s are refused with %s', async (dataDir, readyFile, setting, problem) => {
  await expect(prepare(dataDir, readyFile)).rejects.toMatchObject({
    name: 'SettingError',
    setting,
    problem: expect.stringMatching(problem) as string,
  });
});

test('a folder in which nothing can be made is told, and the start ends', async (ctx) => {
  if (!existsSync('/proc/self')) ctx.skip('by design: needs /proc');
  await expect(preparePlaces({ dataDir: '/proc/nope/data', readyFile: undefined })).rejects.toMatchObject({
    name: 'SettingError',
    setting: 'data-dir',
  });
});
