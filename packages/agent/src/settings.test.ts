import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
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
