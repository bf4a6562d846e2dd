import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeHost, temporaryFolder } from '../../test/fake-host.ts';
import { resolveAuthority, resolveCaller } from './settings.ts';

const READY = {
  pid: 1,
  issuer: 'https://localhost:8443',
  ca_file: '/data/ca.pem',
  admin: { client_id: 'admin', client_secret: 'csk_ready' },
};

function folderWithReadyFile(ready: object = READY): string {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, '.countersign'));
  writeFileSync(join(cwd, '.countersign/ready.json'), JSON.stringify(ready));
  return cwd;
}

test('without any setting the ready file in ./.countersign tells everything', async () => {
  const host = fakeHost({ cwd: folderWithReadyFile() });
  const authority = resolveAuthority(host, {});
  expect(authority).toMatchObject({ issuer: READY.issuer, caFile: '/data/ca.pem' });
  expect(await resolveCaller(host, {}, authority)).toEqual({ clientId: 'admin', clientSecret: 'csk_ready' });
});

test('a flag comes before the environment, which comes before the ready file', () => {
  const cwd = folderWithReadyFile();
  const env = { COUNTERSIGN_ISSUER: 'https://env.example' };
  expect(resolveAuthority(fakeHost({ cwd, env }), { issuer: 'https://flag.example' }).issuer).toBe(
    'https://flag.example',
  );
  expect(resolveAuthority(fakeHost({ cwd, env }), {}).issuer).toBe('https://env.example');
});

test('the secret of a ready file never goes to another issuer', async () => {
  const host = fakeHost({ cwd: folderWithReadyFile() });
  const flags = { issuer: 'https://elsewhere.example', clientId: 'admin' };
  const authority = resolveAuthority(host, flags);
  expect(authority.caFile).toBeUndefined();
  await expect(resolveCaller(host, flags, authority)).rejects.toThrow(
    'There is no secret and no key for admin.',
  );
});

test('where the ready file no longer tells the secret, the file beside it does', async () => {
  const cwd = folderWithReadyFile({ ...READY, admin: { client_id: 'admin' } });
  writeFileSync(join(cwd, '.countersign/admin.secret'), 'csk_kept\n');
  const host = fakeHost({ cwd });
  expect(await resolveCaller(host, {}, resolveAuthority(host, {}))).toEqual({
    clientId: 'admin',
    clientSecret: 'csk_kept',
  });
});

test('a secret comes from a file, stdin or the environment', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'a.secret'), 'csk_file\n');
  const env = { COUNTERSIGN_ISSUER: 'https://a.example', COUNTERSIGN_CLIENT_ID: 'payments' };
  const secretWith = async (more: Record<string, string>, flags: object): Promise<string> => {
    const host = fakeHost({ cwd, env: { ...env, ...more }, stdin: 'csk_stdin\n' });
    const caller = await resolveCaller(host, flags, resolveAuthority(host, flags));
    return 'clientSecret' in caller ? caller.clientSecret : 'a key';
  };
  expect(await secretWith({ COUNTERSIGN_CLIENT_SECRET: 'csk_env' }, {})).toBe('csk_env');
  expect(await secretWith({ COUNTERSIGN_CLIENT_SECRET_FILE: 'a.secret' }, {})).toBe('csk_file');
  expect(await secretWith({ COUNTERSIGN_CLIENT_SECRET: 'csk_env' }, { clientSecretFile: '-' })).toBe(
    'csk_stdin',
  );
});

test('a private key, as PEM or JWK, takes the place of a secret; both at once are refused', async () => {
  const cwd = folderWithReadyFile();
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(cwd, 'key.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
  writeFileSync(join(cwd, 'key.jwk'), JSON.stringify(privateKey.export({ format: 'jwk' })));
  writeFileSync(join(cwd, 'other.pem'), 'csk_none');
  const callerWith = async (env: Record<string, string>, flags: object) => {
    const host = fakeHost({ cwd, env });
    return await resolveCaller(host, flags, resolveAuthority(host, flags));
  };
  const secret = { COUNTERSIGN_CLIENT_SECRET: 'csk_env' };
  const key = { COUNTERSIGN_PRIVATE_KEY_FILE: 'key.jwk' };
  expect(await callerWith(secret, { privateKeyFile: 'key.pem' })).toMatchObject({
    clientId: 'admin',
    privateKey: expect.anything(),
  });
  expect(await callerWith(key, { clientId: 'payments' })).toMatchObject({
    clientId: 'payments',
    privateKey: { kty: 'OKP' },
  });
  await expect(callerWith({ ...secret, ...key }, {})).rejects.toThrow('There are both');
  const both = { privateKeyFile: 'key.pem', clientSecretFile: '-' };
  await expect(callerWith({}, both)).rejects.toThrow('There are both');
  await expect(callerWith({}, { privateKeyFile: 'other.pem' })).rejects.toThrow('holds no private key');
  await expect(callerWith({}, { privateKeyFile: 'gone.pem' })).rejects.toThrow(
    /^--private-key-file names .+gone\.pem, which is not there\.$/,
  );
});

test('what is missing or cannot be used is said with its fix', async () => {
  const host = fakeHost({ cwd: temporaryFolder() });
  expect(() => resolveAuthority(host, {})).toThrow('Which authority?');
  expect(() => resolveAuthority(host, { issuer: 'http://authority.example' })).toThrow(
    '--issuer is not an issuer',
  );
  expect(() => resolveAuthority(host, { readyFile: 'gone.json' })).toThrow('which is not there');
  const authority = resolveAuthority(host, { issuer: 'https://a.example' });
  await expect(resolveCaller(host, {}, authority)).rejects.toThrow('As whom?');
});
