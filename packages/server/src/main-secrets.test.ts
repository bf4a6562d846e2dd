import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { formatBasicCredentials } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningAuthority, SettingError, startAuthority } from './main.ts';

let folder: string;
let dataDir: string;
let secretFile: string;
let running: RunningAuthority | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-start-'));
  dataDir = join(folder, 'data');
  secretFile = join(folder, 'secrets', 'pay.secret');
  writeFileSync(join(folder, 'declared.yaml'), DECLARED);
});
afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

const DECLARED = `
apiVersion: countersign/v1
kind: Identity
metadata: { name: pay }
spec: { kind: service, environment: dev, purpose: pays, owner: { person: ada }, expires_in: 90d }
---
apiVersion: countersign/v1
kind: Credential
metadata: { name: main }
spec: { identity: pay, type: client_secret, secretFile: secrets/pay.secret }
`;

async function start(flags: Record<string, string | boolean> = {}): Promise<RunningAuthority> {
  const given = { http: true, port: '0', 'data-dir': dataDir, 'log-level': 'silent', ...flags };
  running = await startAuthority({ mode: 'dev', flags: given, env: {} });
  return running;
}
const startDeclared = (): Promise<RunningAuthority> => start({ apply: join(folder, 'declared.yaml') });

async function stop(): Promise<void> {
  await running?.stop();
  running = undefined;
}

/** What the client with the secret of the file is told when it asks for something it has no access to. */
async function refusalOf({ ready }: RunningAuthority): Promise<unknown> {
  const response = await fetch(ready.token_endpoint, {
    method: 'POST',
    headers: { authorization: formatBasicCredentials('pay', readFileSync(secretFile, 'utf8').trim()) },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: 'https://nobody.test' }),
  });
  return ((await response.json()) as { error: unknown }).error;
}

async function faultOf(starting: Promise<unknown>): Promise<string> {
  const error: unknown = await starting.then(
    () => undefined,
    (fault: unknown) => fault,
  );
  expect(error).toBeInstanceOf(SettingError);
  return (error as SettingError).message;
}

describe('a declared secretFile', () => {
  it('that is not there is made, holds, and is the same at the next start', async () => {
    expect(await refusalOf(await startDeclared())).toBe('invalid_target');
    const made = readFileSync(secretFile, 'utf8');
    expect(statSync(secretFile).mode & 0o777).toBe(0o600);
    await stop();
    expect(await refusalOf(await startDeclared())).toBe('invalid_target');
    expect(readFileSync(secretFile, 'utf8')).toBe(made);
  });

  it('that cannot be written stops the start before anything is made, and the next one goes on', async () => {
    writeFileSync(dirname(secretFile), 'in the way');
    expect(await faultOf(startDeclared())).toContain(secretFile);
    expect(existsSync(join(dataDir, 'admin.secret'))).toBe(false);
    rmSync(dirname(secretFile));
    const authority = await startDeclared();
    expect(authority.ready.admin.client_secret).toBeDefined();
    expect(await refusalOf(authority)).toBe('invalid_target');
  });

  it('that was lost stops the start and says what to do, and the secret in use goes on', async () => {
    await startDeclared();
    const made = readFileSync(secretFile);
    await stop();
    rmSync(secretFile);
    const fault = await faultOf(startDeclared());
    for (const named of [secretFile, 'credential main of pay', 'revoke']) expect(fault).toContain(named);
    expect(existsSync(secretFile)).toBe(false);
    writeFileSync(secretFile, made);
    expect(await refusalOf(await startDeclared())).toBe('invalid_target');
  });
});

it('the ready file is nobody else’s file that waited under a name that can be guessed', async () => {
  const planted = join(folder, `.${process.pid}.ready`);
  writeFileSync(planted, '', { mode: 0o666 });
  const readyFile = join(folder, 'ready.json');
  await start({ 'ready-file': readyFile });
  expect(statSync(readyFile).mode & 0o777).toBe(0o600);
  expect(readFileSync(planted, 'utf8')).toBe('');
});

it('serve refuses a private key of TLS that others may read', async () => {
  const masterKey = join(folder, 'master.key');
  writeFileSync(masterKey, 'ab'.repeat(32), { mode: 0o600 });
  const key = join(folder, 'tls.key');
  writeFileSync(key, 'a key', { mode: 0o644 });
  writeFileSync(join(folder, 'tls.pem'), 'a certificate');
  const flags = {
    issuer: 'https://authority.test',
    port: '0',
    'data-dir': dataDir,
    'master-key-file': masterKey,
    'tls-cert': join(folder, 'tls.pem'),
    'tls-key': key,
    'log-level': 'silent',
  };
  const fault = await faultOf(startAuthority({ mode: 'serve', flags, env: {} }));
  expect(fault).toBe(`tls-key is readable by others. chmod 600 ${key}`);
});
