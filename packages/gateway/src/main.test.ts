import { mkdtempSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { main } from './main.ts';

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** What the command says on stderr, and its exit code. */
async function said(args: readonly string[]): Promise<readonly [string, typeof process.exitCode]> {
  let text = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  await main(args);
  return [text, process.exitCode];
}

test('without a file of rules it says what is missing, then how it is used', async () => {
  expect(await said([])).toEqual([
    expect.stringMatching(/^--config is missing\n\nusage: countersign-gateway /),
    2,
  ]);
});

test('a file that is not there is named', async () => {
  expect(await said(['--config', 'absent.yaml', '--check'])).toEqual([
    'There is no file absent.yaml. --config names the file of rules.\n',
    2,
  ]);
});

test('an unknown flag is told, and how the command is used', async () => {
  expect(await said(['--confg', 'x'])).toEqual([
    expect.stringMatching(/^Unknown option '--confg'[^\n]*\n\nusage: countersign-gateway /),
    2,
  ]);
});

/** A file of rules that listens on `port` and trusts `ca`. */
function rulesWith(port: number, more = ''): string {
  const file = join(mkdtempSync(join(tmpdir(), 'gateway-')), 'gateway.yaml');
  writeFileSync(
    file,
    `issuer: https://127.0.0.1:9\n${more}resources: {a: {audience: 'https://a.example'}}\nlisten: {auth: '127.0.0.1:${port}'}\nroutes: [{path: /, public: true}]\n`,
  );
  return file;
}

test('a port that is taken is named, and where another is chosen', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  expect(await said(['--config', rulesWith(port)])).toEqual([
    `127.0.0.1:${port} is taken by another program: name another port under listen\n`,
    1,
  ]);
  other.close();
});

test('a file that the settings name and that is not there is a fault of the settings', async () => {
  const [text, code] = await said(['--config', rulesWith(0, 'ca: gone.pem\n')]);
  expect(text).toMatch(/^There is no file \/.*gone\.pem, which the settings name\n$/);
  expect(code).toBe(2);
});
