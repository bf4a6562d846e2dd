import { type ChildProcess, execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@countersign/client';
import { createVerifier, fetchTrusting, requireScope, type Verifier } from '@countersign/resource-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RealAuthority, startRealAuthority } from '../test/real-authority.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'countersign-cli-real-'));
let authority: RealAuthority;
let api: Server;
let verifier: Verifier;
let url: string;

/** An API on loopback whose identifier is its address, as `connect` prints calls to it. */
async function startApi(): Promise<void> {
  api = createServer((request, response) => {
    void requireScope(verifier, request, 'fraud:read').then((result) => {
      response
        .writeHead(result.ok ? 200 : result.status)
        .end(result.ok ? `hello ${result.claims.client_id}` : 'no');
    });
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(api.address() as AddressInfo).port}/`;
  const ready = JSON.parse(readFileSync(join(folder, '.countersign/ready.json'), 'utf8')) as Record<
    string,
    string
  >;
  const ca = readFileSync(ready['ca_file'] ?? '', 'utf8');
  verifier = createVerifier({ issuer: ready['issuer'] ?? '', audience: url, fetch: fetchTrusting(ca) });
}

beforeAll(async () => {
  authority = await startRealAuthority(folder);
  await startApi();
  const create = [
    'resource-servers',
    'create',
    '--identifier',
    url,
    '--name',
    'fraud',
    '--scope',
    'fraud:read=read scores',
  ];
  expect(await authority.run([...create, '--scope', 'fraud:write'])).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await verifier.close();
  api.close();
  api.closeAllConnections();
  await authority.stop();
  rmSync(folder, { recursive: true, force: true });
});

const connect = (name: string, language: string): string[] =>
  `connect ${name} --to fraud --scopes fraud:read --owner ada --for 90d --language ${language}`.split(' ');

/** Runs a program in the folder, where the paths of the snippets hold. */
function program(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = execFile(file, args, { cwd: folder, timeout: 60_000 }, (error, out, err) => {
      if (error === null) resolve(out.trim());
      else reject(new Error(`${error.message}\n${out}\n${err}`));
    });
    child.stdin?.end();
  });
}

const has = (variable: string, name: string, probe: string): string | undefined => {
  const file = process.env[variable] ?? name;
  return spawnSync(file, [probe]).status === 0 ? file : undefined;
};
const python = has('COUNTERSIGN_TEST_PYTHON', 'python3', '--version');
const go = has('COUNTERSIGN_TEST_GO', 'go', 'version');
const java = has('COUNTERSIGN_TEST_JAVA', 'java', '-version');
const curl = has('COUNTERSIGN_TEST_CURL', 'curl', '--version');

test.skipIf(curl === undefined)('the call in curl that connect prints works', async () => {
  const { code, out } = await authority.run(connect('by-curl', 'curl'));
  expect(code).toBe(0);
  expect(statSync(join(folder, 'by-curl.secret')).mode & 0o777).toBe(0o600);
  writeFileSync(join(folder, 'call.sh'), out);
  expect(await program('sh', ['call.sh'])).toBe('hello by-curl');
});

test('the call in TypeScript has its types right, and works, with a secret and with a key', async () => {
  const { out } = await authority.run(connect('by-typescript', 'typescript'));
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(folder, 'by-key.pub'), publicKey.export({ format: 'pem', type: 'spki' }));
  writeFileSync(join(folder, 'by-key.key'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const withKey = ['--type', 'private_key_jwt', '--jwk-file', 'by-key.pub'];
  const byKey = await authority.run([...connect('by-key', 'typescript'), ...withKey]);
  expect(byKey.code, byKey.err).toBe(0);
  expect(existsSync(join(folder, 'by-key.secret'))).toBe(false);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'call.mts'), out);
  writeFileSync(join(folder, 'call-by-key.mts'), byKey.out);
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = [
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--types',
    'node',
    '--skipLibCheck',
  ];
  await program(process.execPath, [tsc, ...options, 'call.mts', 'call-by-key.mts']);
  expect(await program(process.execPath, ['call.mjs'])).toBe('200 hello by-typescript');
  expect(await program(process.execPath, ['call-by-key.mjs'])).toBe('200 hello by-key');
});

test.skipIf(python === undefined)('the call in Python works', async () => {
  const { out } = await authority.run(connect('by-python', 'python'));
  writeFileSync(join(folder, 'call.py'), out);
  expect(await program(python as string, ['call.py'])).toBe('200 hello by-python');
});

test.skipIf(go === undefined)('the call in Go works', { timeout: 120_000 }, async () => {
  const { out } = await authority.run(connect('by-go', 'go'));
  writeFileSync(join(folder, 'call.go'), out);
  expect(await program(go as string, ['run', 'call.go'])).toBe('200 hello by-go');
});

test.skipIf(java === undefined)('the call in Java works', { timeout: 120_000 }, async () => {
  const { out } = await authority.run(connect('by-java', 'java'));
  writeFileSync(join(folder, 'Call.java'), out);
  expect(await program(java as string, ['Call.java'])).toBe('200 hello by-java');
});

test('a refusal names its request, and explain says what was the matter', async () => {
  await authority.run(connect('mistaken', 'curl'));
  const args = ['token', 'get', '--client-id', 'mistaken', '--client-secret-file', 'mistaken.secret'];
  const { code, err } = await authority.run([...args, '--resource', 'https://elsewhere.example']);
  expect(code).toBe(4);
  const requestId = /countersign explain (req_\w+)/.exec(err)?.[1] ?? '';
  const explained = await authority.run(['explain', requestId]);
  expect(explained).toMatchObject({ code: 0, err: '' });
  expect(explained.out).toMatch(/^what +.+\nwhy +.+\n/);
  expect(explained.out).toContain('mistaken, active');
});

test('what is exported applies without a change', async () => {
  const { out } = await authority.run(['export']);
  expect(out).toContain('kind: Access');
  writeFileSync(join(folder, 'exported.yaml'), out);
  expect(await authority.run(['plan', '-f', 'exported.yaml'])).toEqual({
    code: 0,
    out: 'Nothing to change.\n',
    err: '',
  });
  expect((await authority.run(['apply', '-f', 'exported.yaml', '--prune'])).out).toBe('Nothing to change.\n');
});

const DECLARED = `apiVersion: countersign/v1
kind: Identity
metadata: { name: declared }
spec: { kind: job, environment: test, purpose: shows, owner: { person: ada }, expires_in: 30d }
---
apiVersion: countersign/v1
kind: Credential
metadata: { name: declared }
spec: { identity: declared, type: client_secret, secretFile: declared.secret }
`;

test('a plan has differences until it is applied, and the secret that is made works', async () => {
  writeFileSync(join(folder, 'declared.yaml'), DECLARED);
  const plan = await authority.run(['plan', '-f', 'declared.yaml']);
  expect(plan.code).toBe(6);
  expect(plan.out).toContain('+ Identity declared\n');
  expect(plan.out).toContain('2 to add, 0 to change, 0 to end.\n');
  expect(await authority.run(['apply', '-f', 'declared.yaml'])).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, 'declared.secret'), 'utf8')).toMatch(/^csk_\w{47}\n$/);
  expect((await authority.run(['plan', '-f', 'declared.yaml'])).code).toBe(0);
  writeFileSync(join(folder, 'changed.yaml'), DECLARED.replace('purpose: shows', 'purpose: shows more'));
  const changed = await authority.run(['plan', '-f', 'changed.yaml']);
  expect(changed).toMatchObject({
    code: 6,
    out: expect.stringContaining('purpose: shows → shows more') as string,
  });
});

test('a second authority on the same data is refused, with what to do', async () => {
  const args = ['dev', '--port', '0', '--data-dir', join(folder, '.countersign'), '--log-level', 'silent'];
  const { code, err } = await authority.run(args);
  expect(code).toBe(1);
  expect(err).toMatch(/^error: Another authority runs on this data: .+\nfix: Stop that one first/);
});

test('a key that has not signed yet says so', async () => {
  expect((await authority.run(['keys', 'list'])).out).toMatch(/ next +not yet/);
});

test('doctor finds nothing broken', async () => {
  const { code, out } = await authority.run(['doctor']);
  expect(out).not.toMatch(/^fail|^skip/m);
  expect(code).toBe(0);
});

test('a token is got, inspected and verified', async () => {
  await authority.run(connect('checked', 'curl'));
  const get = ['token', 'get', '--client-id', 'checked', '--client-secret-file', 'checked.secret'];
  const stdin = (await authority.run(get)).out;
  expect((await authority.run(['token', 'inspect'], { stdin })).out).toContain('what it allows at that API');
  const verify = ['token', 'verify', '--audience', url];
  expect((await authority.run([...verify, '--scope', 'fraud:read'], { stdin })).code).toBe(0);
  expect((await authority.run([...verify, '--scope', 'fraud:write'], { stdin })).code).toBe(4);
});

test('what is cut off is refused by the verifier and gets no other token', async () => {
  await authority.run(connect('leaked', 'curl'));
  const get = ['token', 'get', '--client-id', 'leaked', '--client-secret-file', 'leaked.secret'];
  const stdin = (await authority.run(get)).out;
  const order = ['cutoffs', 'create', '--kind', 'identity', '--id', 'leaked', '--reason', 'seen in a log'];
  expect((await authority.run(order)).code).toBe(6);
  expect((await authority.run(get)).code).toBe(0);
  expect((await authority.run([...order, '--dry-run'])).err).toContain('takes two people');
  expect((await authority.run([...order, '--yes'])).code).toBe(0);
  const resume = await authority.run(['identities', 'resume', 'leaked', '--reason', 'false alarm']);
  expect(resume).toMatchObject({
    code: 4,
    err: expect.stringContaining('countersign login') as string,
  });
  const refused = await authority.run(['token', 'verify', '--audience', url], { stdin });
  expect(refused).toMatchObject({ code: 4, err: expect.stringContaining('401: cut_off') as string });
  expect((await authority.run(get)).code).toBe(4);
});

test('what the API says becomes an exit code', async () => {
  expect((await authority.run(['identities', 'get', 'nobody'])).code).toBe(3);
  const order = ['cutoffs', 'create', '--kind', 'identity', '--id', 'nobody', '--reason', 'x'];
  expect(await authority.run(order)).toMatchObject({
    code: 3,
    err: 'error: there is no identity nobody\nfix: Name it by its client_id or id: countersign identities list\n',
  });
  expect((await authority.run(connect('checked', 'curl'))).code).toBe(0);
  const otherOwner = connect('checked', 'curl').map((arg) => (arg === 'ada' ? 'grace' : arg));
  expect((await authority.run(otherOwner)).code).toBe(5);
  expect(
    (
      await authority.run([
        'identities',
        'list',
        '--client-id',
        'x',
        '--client-secret-file',
        'checked.secret',
      ])
    ).code,
  ).toBe(4);
  const elsewhere = ['identities', 'list', '--issuer', 'https://localhost:1', '--client-id', 'x'];
  expect((await authority.run([...elsewhere, '--client-secret-file', 'checked.secret'])).code).toBe(7);
});

test('a client with a key in the place of its secret calls the API', async () => {
  expect(await authority.run([...connect('keyed', 'curl'), '--secret-file', 'keyed.secret'])).toMatchObject({
    code: 0,
  });
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(folder, 'keyed.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
  const create = 'credentials create keyed --type private_key_jwt --jwk-file keyed.pem'.split(' ');
  expect(await authority.run(create)).toMatchObject({ code: 0 });
  const ready = JSON.parse(readFileSync(join(folder, '.countersign/ready.json'), 'utf8')) as Record<
    string,
    string
  >;
  const client = createClient({
    issuer: ready['issuer'] ?? '',
    clientId: 'keyed',
    privateKey,
    resource: url,
    fetch: fetchTrusting(readFileSync(ready['ca_file'] ?? '', 'utf8')),
  });
  expect(await (await client.fetch(url)).text()).toBe('hello keyed');
  await client.close();
});
