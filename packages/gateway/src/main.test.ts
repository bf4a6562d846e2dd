import { mkdtempSync, writeFileSync } from 'node:fs';
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
    '--config names absent.yaml, which is not there.\n',
    2,
  ]);
});

test('a folder in the place of the rules is told as one', async () => {
  const [text, code] = await said(['--config', tmpdir(), '--check']);
  expect([text, code]).toEqual([`--config names ${tmpdir()}, which is a folder.\n`, 2]);
});

const RULES = `issuer: 'http://127.0.0.1:1'
resources: {orders: {audience: 'https://orders.example'}}
routes: [{prefix: /, resource: orders, scope: 'orders:read'}]
logLevel: error
`;

test.each([
  [
    'the certificate of a listener',
    "listen: {auth: {address: '127.0.0.1:0', tls: {certificate: gone.pem, key: gone.key}}}",
    '5:47: listen.auth.tls.certificate: names FOLDER/gone.pem, which is not there',
  ],
  [
    'the CA of the authority',
    "listen: {auth: '127.0.0.1:0'}\nca: .",
    '6:1: ca: names FOLDER, which is a folder',
  ],
  [
    'the CA of an upstream',
    "listen: {auth: '127.0.0.1:0'}\nupstreams: {app: {url: 'https://127.0.0.1:1', ca: gone.pem}}",
    '6:47: upstreams.app.ca: names FOLDER/gone.pem, which is not there',
  ],
  [
    'a secret that others can read',
    "listen: {auth: '127.0.0.1:0'}\nclient: {id: a, secretFile: open.secret}",
    '6:17: client.secretFile: names FOLDER/open.secret, which is readable by others: chmod 600 FOLDER/open.secret',
  ],
])('a file that cannot be had is told with the line that names it: %s', async (_, settings, fault) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-gateway-'));
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, RULES + settings);
  writeFileSync(join(folder, 'open.secret'), 'secret', { mode: 0o644 });
  expect(await said(['--config', file])).toEqual([`${file}:${fault.replaceAll('FOLDER', folder)}\n`, 2]);
});
