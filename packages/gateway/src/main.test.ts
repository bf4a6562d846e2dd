import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { writeCertificate } from '../test/certificate-files.ts';
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

describe('--check opens the files that the rules name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-gateway-'));
  const file = join(folder, 'gateway.yaml');
  beforeAll(() => {
    for (const name of ['a', 'b']) writeCertificate(folder, name);
    const sealing = ['pkcs8', '-topk8', '-in', 'a.key', '-out', 'sealed.key', '-passout', 'pass:secret'];
    execFileSync('openssl', sealing, { cwd: folder });
    const pem = readFileSync(join(folder, 'a.pem'), 'utf8');
    writeFileSync(join(folder, 'cut.pem'), pem + pem.replace(/\n[^\n]+\n-----END/, '\n-----END'));
    writeFileSync(join(folder, 'open.secret'), 'secret', { mode: 0o644 });
    writeFileSync(join(folder, 'empty.secret'), ' \n', { mode: 0o600 });
    writeFileSync(join(folder, 'two.secret'), 'one\ntwo\n', { mode: 0o600 });
    writeFileSync(join(folder, 'right.secret'), 'secret', { mode: 0o600 });
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const tls = (certificate: string, key: string): string =>
    `listen: {auth: {address: '127.0.0.1:0', tls: {certificate: ${certificate}, key: ${key}}}}`;
  const plain = "listen: {auth: '127.0.0.1:0'}\n";

  test.each([
    [
      'no certificate',
      tls('gateway.yaml', 'a.key'),
      '5:47: listen.auth.tls.certificate',
      'gateway.yaml',
      'holds no certificate in PEM',
    ],
    ['no key', tls('a.pem', 'b.pem'), '5:67: listen.auth.tls.key', 'b.pem', 'holds no private key in PEM'],
    [
      'no key that is there',
      tls('a.pem', 'gone.key'),
      '5:67: listen.auth.tls.key',
      'gone.key',
      'is not there',
    ],
    [
      'a key of another certificate',
      tls('a.pem', 'b.key'),
      '5:67: listen.auth.tls.key',
      'b.key',
      'is not the key of the certificate in FOLDER/a.pem',
    ],
    [
      'a key under a passphrase',
      tls('a.pem', 'sealed.key'),
      '5:67: listen.auth.tls.key',
      'sealed.key',
      'holds a private key under a passphrase: write it without one',
    ],
    [
      'certificates that were cut',
      `${plain}ca: cut.pem`,
      '6:1: ca',
      'cut.pem',
      'holds a certificate that cannot be read (number 2)',
    ],
    [
      'a CA that nothing asks for',
      `${plain}upstreams: {app: {url: 'http://127.0.0.1:1', ca: a.key}}`,
      '6:46: upstreams.app.ca',
      'a.key',
      'holds no certificate in PEM',
    ],
    [
      'a secret that is open',
      `${plain}client: {id: a, secretFile: open.secret}`,
      '6:17: client.secretFile',
      'open.secret',
      'is readable by others: chmod 600 FOLDER/open.secret',
    ],
    [
      'two secrets',
      `${plain}client: {id: a, secretFile: two.secret}`,
      '6:17: client.secretFile',
      'two.secret',
      'holds more than a secret; a second line perhaps',
    ],
    [
      'no secret',
      `${plain}client: {id: a, secretFile: empty.secret}`,
      '6:17: client.secretFile',
      'empty.secret',
      'is empty',
    ],
  ])('%s', async (_, settings, at, name, problem) => {
    writeFileSync(file, RULES + settings);
    const fault = `${file}:${at}: names ${join(folder, name)}, which ${problem.replace('FOLDER', folder)}\n`;
    expect(await said(['--config', file, '--check'])).toEqual([fault, 2]);
  });

  test('and is content with those that are right', async () => {
    const more = '\nca: b.pem\nclient: {id: a, secretFile: right.secret}';
    writeFileSync(file, RULES + tls('a.pem', 'a.key') + more);
    vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
    expect(await said(['--config', file, '--check'])).toEqual(['', undefined]);
    expect(process.stdout.write).toHaveBeenCalledWith(`${file}: 1 rules\n`);
  });
});

describe('what cannot be started is found by --check and by a start alike, with its setting', () => {
  const given = (orders: string, more = ''): string => `issuer: 'https://authority.example'
resources: {orders: ${orders}}
listen: {auth: '127.0.0.1:0'}
routes: [{prefix: /, resource: orders, scope: 'orders:read'}]
logLevel: error
${more}`;
  const audience = "audience: 'https://orders.example'";
  test.each([
    [
      'an audience with a space',
      given("{audience: 'orders '}"),
      '2:22: resources.orders.audience: give the resource identifier as registered',
    ],
    [
      'an address of callers that is none',
      given(`{${audience}, publicUrl: 'ftp://orders.example'}`),
      '2:58: resources.orders.publicUrl: give a web address without query',
    ],
    [
      'proofs of possession for nowhere',
      given('{audience: orders, senderConstraint: dpop}'),
      '2:13: resources.orders: publicUrl: say where callers reach this API',
    ],
    [
      'no algorithm at all',
      given(`{${audience}, algorithms: []}`),
      '2:58: resources.orders.algorithms: take from ES256 ',
    ],
    [
      'an issuer in the clear',
      given(`{${audience}}`).replace('https://auth', 'http://auth'),
      '1:1: issuer: write the https URL of the authority (http only on loopback)',
    ],
    [
      'two listeners at one address',
      given(`{${audience}}`).replace(
        "{auth: '127.0.0.1:0'}",
        "{auth: '127.0.0.1:9180', operation: '127.0.0.1:9180'}",
      ),
      '3:34: listen.operation: is at 127.0.0.1:9180 as listen.auth is',
    ],
    [
      'tokens bound to a certificate that nobody shows',
      given(`{${audience}, senderConstraint: mtls}`),
      '2:58: resources.orders.senderConstraint: needs certificateHeader, listen.grpc, or a listener with tls and askForCertificate: true',
    ],
    [
      'certificates that nobody names',
      given(`{${audience}}`, 'frontProxies: []\ncertificateHeader: nginx'),
      '7:1: certificateHeader: needs frontProxies: who names the certificate of its caller',
    ],
  ])('%s', async (_, text, fault) => {
    const file = join(mkdtempSync(join(tmpdir(), 'countersign-gateway-')), 'gateway.yaml');
    writeFileSync(file, text);
    for (const how of [['--check'], []]) {
      process.exitCode = undefined;
      const [told, code] = await said(['--config', file, ...how]);
      expect([told.slice(0, file.length + 1 + fault.length), code]).toEqual([`${file}:${fault}`, 2]);
      vi.restoreAllMocks();
    }
  });
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
