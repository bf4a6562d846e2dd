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
  expect(text).toMatch(/gateway\.yaml:2:1: ca: names \/.*gone\.pem, which is not there\n$/);
  expect(code).toBe(2);
});
