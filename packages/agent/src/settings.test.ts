import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { main } from './main.ts';
import { readSettings } from './settings.ts';

const read = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  readSettings(
    ['--issuer', 'https://authority.example', '--client-id', 'agent', '--socket', 'a.sock', ...args],
    env,
  );

test('a file that is not there or is a folder is told with the flag or the variable that names it', () => {
  expect(() => read(['--private-key-file', 'gone.pem'])).toThrow(
    '--private-key-file names gone.pem, which is not there',
  );
  expect(() => read([], { COUNTERSIGN_CLIENT_SECRET_FILE: tmpdir() })).toThrow(
    `COUNTERSIGN_CLIENT_SECRET_FILE names ${tmpdir()}, which is a folder`,
  );
  expect(() => read([], { COUNTERSIGN_CLIENT_SECRET: 'secret', COUNTERSIGN_CA_FILE: 'gone.pem' })).toThrow(
    'COUNTERSIGN_CA_FILE names gone.pem, which is not there',
  );
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

test.each([
  ['--private-key-file', [], /^--private-key-file: give a private key for P-256/],
  ['--client-secret-file', [], /^--client-secret-file: has characters that no secret has/],
  [
    '--ca-file',
    ['--client-secret-file', 'SECRET'],
    /^--ca-file names a file that holds no certificate in PEM$/,
  ],
])('a file of %s that holds something else is a usage error', async (flag, more, problem) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-agent-'));
  const [file, secret] = [join(folder, 'file'), join(folder, 'secret')];
  writeFileSync(file, 'one\ntwo\n');
  writeFileSync(secret, 'secret');
  let said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    said += String(chunk);
    return true;
  });
  const socket = join(folder, 'a.sock');
  const flags = ['--issuer', 'https://127.0.0.1:1', '--client-id', 'agent', '--socket', socket, flag, file];
  await main([...flags, ...more.map((each) => each.replace('SECRET', secret))]);
  expect(said.trim()).toMatch(problem);
  expect(process.exitCode).toBe(2);
});
