import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { replaceFile } from './certificate-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a key is for nobody else, also where something of its passing name was left for everybody', () => {
  const path = join(folder, 'machine.key');
  writeFileSync(`${path}.new`, 'left by a command that was killed');
  chmodSync(`${path}.new`, 0o644);
  replaceFile(path, 'key', 0o600);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, 'utf8')).toBe('key');
});

it('a key is not written to where a link of its passing name leads', () => {
  const path = join(folder, 'machine.key');
  const elsewhere = join(folder, 'elsewhere');
  writeFileSync(elsewhere, 'of somebody else');
  symlinkSync(elsewhere, `${path}.new`);
  replaceFile(path, 'key', 0o600);
  expect(readFileSync(elsewhere, 'utf8')).toBe('of somebody else');
  expect(readFileSync(path, 'utf8')).toBe('key');
});
