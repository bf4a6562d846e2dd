import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeAuthority, json, problem, runAgainst } from '../../test/fake-authority.ts';
import { temporaryFolder } from '../../test/fake-host.ts';

const CREDENTIAL = {
  id: 'crd_0123456789abcdefghij',
  type: 'client_secret',
  expires_at: '2027-02-19T12:00:00.000Z',
};
const SECRET = 'csk_AAAAAAAA_secretsecret';
const making = () =>
  fakeAuthority({
    'POST /v1/identities/payments/credentials': () =>
      json({ ...CREDENTIAL, secret: SECRET }, { status: 201 }),
  });
const CREATE = ['credentials', 'create', 'payments', '--type', 'client_secret'];

test('the secret goes to a file and is shown nowhere', async () => {
  const cwd = temporaryFolder();
  const { code, out, err } = await runAgainst(
    making(),
    [...CREATE, '--secret-file', 'a.secret', '-o', 'json'],
    { cwd },
  );
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual(CREDENTIAL);
  expect(err).toBe(`Created ${CREDENTIAL.id}\nIts secret is in ${join(cwd, 'a.secret')} (mode 0600).\n`);
  expect(readFileSync(join(cwd, 'a.secret'), 'utf8')).toBe(`${SECRET}\n`);
});

test('a script that asks for the object as data gets the secret in it', async () => {
  const { out, err } = await runAgainst(making(), [...CREATE, '-o', 'json']);
  expect(JSON.parse(out)).toEqual({ ...CREDENTIAL, secret: SECRET });
  expect(err).not.toContain(SECRET);
});

test('without a place for the secret nothing is made', async () => {
  const authority = making();
  const { code, err } = await runAgainst(authority, CREATE);
  expect(code).toBe(2);
  expect(err).toContain('Where should the secret go? It is told only once.\nfix: Add --secret-file FILE');
  expect(authority.asked).toEqual([]);
});

test('a refusal leaves no file behind', async () => {
  const cwd = temporaryFolder();
  const authority = fakeAuthority({
    'POST /v1/identities/payments/credentials': () => problem('illegal_transition', 409),
  });
  expect((await runAgainst(authority, [...CREATE, '--secret-file', 'a.secret'], { cwd })).code).toBe(5);
  expect(existsSync(join(cwd, 'a.secret'))).toBe(false);
});

test('a public key is read from its file; no secret comes', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'key.jwk'), '{"kty":"EC"}');
  const authority = fakeAuthority({
    'POST /v1/identities/payments/credentials': () =>
      json({ ...CREDENTIAL, type: 'private_key_jwt' }, { status: 201 }),
  });
  const args = [
    'credentials',
    'create',
    'payments',
    '--type',
    'private_key_jwt',
    '--jwk-file',
    'key.jwk',
    '--for',
    '30d',
  ];
  const { code } = await runAgainst(authority, args, { cwd });
  expect(code).toBe(0);
  expect(JSON.parse(authority.asked[0]?.body ?? '')).toEqual({
    type: 'private_key_jwt',
    jwk: { kty: 'EC' },
    expires_at: '2026-12-21T12:00:00.000Z',
  });
});

test('what cannot be read is a usage error', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'key.jwk'), 'no');
  const args = ['credentials', 'create', 'payments', '--type', 'private_key_jwt', '--jwk-file'];
  for (const file of ['key.jwk', 'gone.jwk']) {
    expect((await runAgainst(fakeAuthority(), [...args, file], { cwd })).code).toBe(2);
  }
  expect((await runAgainst(fakeAuthority(), [...args, 'gone.jwk'], { cwd })).err).toBe(
    `error: --jwk-file names ${join(cwd, 'gone.jwk')}, which is not there.\n`,
  );
});

test('a dry run makes nothing and needs no place for a secret', async () => {
  const authority = fakeAuthority({
    'POST /v1/identities/payments/credentials': { dry_run: true, changes: [] },
  });
  const { code, out } = await runAgainst(authority, [...CREATE, '--dry-run']);
  expect({ code, out }).toEqual({ code: 0, out: 'Nothing to change.\n' });
});

test.each([
  ['private_key_jwt', [], 'private_key_jwt needs --jwk-file or --jwks-uri, with its value.'],
  [
    'tls_client_auth',
    [],
    'tls_client_auth needs --issued-by, with its value.\n  tls_client_auth needs --subject-dn, --san-dns, --san-uri, --san-ip or --san-email, with its value.',
  ],
  ['self_signed_tls_client_auth', [], 'self_signed_tls_client_auth needs --certificate, with its value.'],
  ['federated', ['--condition', 'a=b'], 'federated needs --trusted-issuer, with its value.'],
  ['spiffe', [], 'spiffe needs --spiffe-id, with its value.'],
  [
    'private_key_jwt',
    ['--jwk-file', 'key.jwk', '--jwks-uri', 'https://a.example/jwks'],
    'private_key_jwt takes one of --jwk-file, --jwks-uri.',
  ],
] as const)('%s with %j says by its flags what it needs, and asks nobody', async (type, more, said) => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'key.jwk'), '{"kty":"EC"}');
  const authority = making();
  const args = ['credentials', 'create', 'payments', '--type', type, ...more];
  expect(await runAgainst(authority, args, { cwd })).toMatchObject({ code: 2, err: `error: ${said}\n` });
  expect(authority.asked).toEqual([]);
});

test('what the authority does not accept is named by its flag', async () => {
  const authority = fakeAuthority({
    'POST /v1/identities/payments/credentials': () =>
      problem('validation_failed', 400, {
        errors: [
          { pointer: '/label', detail: 'is too long' },
          { pointer: '/expires_at', detail: 'is over' },
          { pointer: '/type', detail: 'is refused' },
        ],
      }),
  });
  const { code, err } = await runAgainst(authority, [...CREATE, '-o', 'json']);
  expect(code).toBe(2);
  expect(err).toBe(
    'error: This is not acceptable:\n  --label is too long\n  --for or --expires-at is over\n  --type is refused\n',
  );
});
