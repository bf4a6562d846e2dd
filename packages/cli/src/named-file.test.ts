import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, temporaryFolder } from '../test/fake-host.ts';

const ISSUER = ['--issuer', 'https://authority.example'];
const CALLER = [...ISSUER, '--client-id', 'a', '--client-secret-file', 'secret'];

/** What the command says in a folder with a folder, a secret, and no `gone`. */
async function said(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'folder'));
  writeFileSync(join(cwd, 'secret'), 'text');
  const { code, err } = await runCli(args, { cwd, env });
  expect(code).toBe(2);
  return err.replaceAll(cwd, 'CWD');
}

test.each([
  [
    ['credentials', 'create', 'payments', '--type', 'private_key_jwt', '--jwk-file', 'gone', '--for', '90d'],
    '--jwk-file names CWD/gone, which is not there.',
  ],
  [
    ['trust-domains', 'create', '--trust-domain', 'a.example', '--bundle-file', 'folder', ...CALLER],
    '--bundle-file names CWD/folder, which is a folder.',
  ],
  [['certificates', 'issue', 'payments', '--csr', 'gone'], '--csr names CWD/gone, which is not there.'],
  [
    ['certificates', 'issue', 'payments', '--key-file', 'folder'],
    '--key-file names CWD/folder, which is a folder.',
  ],
  [
    ['devices', 'claim', '--code-file', 'folder', '--key-file', 'a', '--cert-file', 'b', ...ISSUER],
    '--code-file names CWD/folder, which is a folder.',
  ],
  [['devices', 'import', 'gone.csv'], 'CWD/gone.csv is not there.'],
  [['people', 'import', 'folder'], 'CWD/folder is a folder.'],
  [['token', 'inspect', '--token-file', 'gone'], '--token-file names CWD/gone, which is not there.'],
  [['whoami', '--ready-file', 'folder'], '--ready-file names CWD/folder, which is a folder.'],
  [
    ['whoami', ...ISSUER, '--client-id', 'a', '--client-secret-file', 'folder'],
    '--client-secret-file names CWD/folder, which is a folder.',
  ],
])('%j names the flag, the file, and what is wrong with it', async (args, fault) => {
  expect(await said(args)).toMatch(new RegExp(`^error: ${fault.replaceAll('.', '\\.')}\n`));
});

test('a file that a variable names is told with the variable', async () => {
  const caller = { COUNTERSIGN_CLIENT_ID: 'a', COUNTERSIGN_ISSUER: 'https://authority.example' };
  expect(await said(['whoami'], { ...caller, COUNTERSIGN_PRIVATE_KEY_FILE: 'gone' })).toContain(
    'COUNTERSIGN_PRIVATE_KEY_FILE names CWD/gone, which is not there.',
  );
});

test('the CA of the authority is told with the setting that names it, when it is needed', async () => {
  const { trustedCertificates } = await import('./connection/trusted-fetch.ts');
  const folder = temporaryFolder();
  const read = (caFile: string) => () => trustedCertificates({ caFile, caFrom: '--ca-file' });
  expect(read(folder)).toThrow(`--ca-file names ${folder}, which is a folder.`);
  writeFileSync(join(folder, 'ca'), 'text');
  expect(read(join(folder, 'ca'))).toThrow(/^--ca-file names .+, which holds no PEM certificate\.$/);
});
