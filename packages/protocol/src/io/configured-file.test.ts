import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfiguredFile } from './configured-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'configured-file-'));

test('its text is read', () => {
  writeFileSync(join(folder, 'ca.pem'), 'text\n');
  expect(readConfiguredFile(join(folder, 'ca.pem'))).toBe('text\n');
});

test.each([
  ['what is not there', 'gone.pem', 'is not there'],
  ['what is below a file', 'ca.pem/gone', 'is not there'],
  ['a folder', '.', 'is a folder'],
])('%s is told with its name', (_, name, problem) => {
  const path = join(folder, name);
  expect(() => readConfiguredFile(path)).toThrow(
    expect.objectContaining({ name: 'UnreadableFile', path, problem, message: `${path} ${problem}` }),
  );
});

test('what belongs to somebody else is told so', (ctx) => {
  if (process.getuid?.() === 0) return ctx.skip('by design: root may read everything');
  const path = join(folder, 'closed.pem');
  writeFileSync(path, '');
  chmodSync(path, 0o000);
  expect(() => readConfiguredFile(path)).toThrow(`${path} may not be read by this user`);
});
