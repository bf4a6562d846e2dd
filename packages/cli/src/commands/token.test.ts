import { generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { draftSign1, ES256, writeCwtClaims } from '@countersign/cose';
import { signJws } from '@countersign/protocol';
import { expect, test } from 'vitest';
import { type Asked, fakeAuthority, ISSUER, json, runAgainst } from '../../test/fake-authority.ts';
import { NOW, runCli, temporaryFolder } from '../../test/fake-host.ts';

const CLAIMS = {
  iss: ISSUER,
  sub: 'payments',
  client_id: 'payments',
  aud: 'https://fraud.example',
  scope: 'fraud:read',
  iat: NOW / 1000 - 60,
  exp: NOW / 1000 + 540,
  jti: 'jti-1',
  crd: 'crd_1',
  acs: 'acs_1',
};

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const JWKS = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' }] };

function tokenWith(claims: object = {}): string {
  const payload = JSON.stringify({ ...CLAIMS, ...claims });
  return signJws({ typ: 'at+jwt' }, payload, { alg: 'ES256', kid: 'k1', keyObject: privateKey });
}

test('get prints the token and nothing else', async () => {
  const authority = fakeAuthority({
    'POST /oauth/token': ({ body }: Asked) => ({ access_token: body, token_type: 'Bearer', expires_in: 600 }),
  });
  const args = ['token', 'get', '--resource', 'https://fraud.example', '--scope', 'b,a', '--scope', 'c'];
  const { code, out, err } = await runAgainst(authority, args);
  expect({ code, out, err }).toEqual({
    code: 0,
    out: 'grant_type=client_credentials&resource=https%3A%2F%2Ffraud.example&scope=a+b+c\n',
    err: '',
  });
});

test('get -o json prints the whole answer', async () => {
  const { out } = await runAgainst(fakeAuthority(), ['token', 'get', '-o', 'json']);
  expect(JSON.parse(out)).toMatchObject({
    access_token: 'at-1',
    token_type: 'Bearer',
    scope: 'identities:read',
  });
  expect((JSON.parse(out) as { expires_at: string }).expires_at).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test.each([
  ['invalid_client', 401],
  ['invalid_target', 400],
  ['invalid_scope', 400],
])('get: %s is denied (4), with what to look at and its request', async (error, status) => {
  const authority = fakeAuthority({ 'POST /oauth/token': () => json({ error }, { status }) });
  const { code, out, err } = await runAgainst(authority, ['token', 'get']);
  expect({ code, out }).toEqual({ code: 4, out: '' });
  expect(err).toMatch(
    new RegExp(
      `^error: The authority gives no token: ${error}\nfix: .+\nmore: countersign explain req_fake\n$`,
    ),
  );
});

test('a secret cannot be given on the command line', async () => {
  const { code, err } = await runAgainst(fakeAuthority(), ['token', 'get', '--client-secret', 'csk_x']);
  expect(code).toBe(2);
  expect(err).toContain('there is no flag --client-secret');
});

test('inspect says what each part means, and never that the token is good', async () => {
  const { code, out, err } = await runCli(['token', 'inspect'], { stdin: `${tokenWith()}\n` });
  expect(code).toBe(0);
  const rows = new Map(
    out
      .trimEnd()
      .split('\n')
      .map((line) => [line.split(/ +/)[0], line.replace(/ +/g, ' ')]),
  );
  expect([...rows.keys()]).toEqual(['typ', 'alg', 'kid', ...Object.keys(CLAIMS)]);
  expect(rows.get('aud')).toBe(
    'aud https://fraud.example API that it is for; every other one must refuse it',
  );
  expect(rows.get('exp')).toBe('exp 1795262940 expires 2026-11-21T12:09:00Z, in 9m');
  expect(err).toBe('Decoded, not checked. To check it: countersign token verify --audience API\n');
  expect(out + err).not.toMatch(/valid/i);
});

test('inspect tells an expired token, and shows what hides in a claim', async () => {
  const token = tokenWith({ exp: NOW / 1000 - 120, sub: 'a\u001b[2Jb' });
  const { out } = await runCli(['token', 'inspect'], { stdin: token });
  expect(out).toMatch(/exp +\d+ +expired 2026-11-21T11:58:00Z, 2m ago/);
  expect(out).toContain('a\\x1b[2Jb');
  expect(out).not.toContain('\u001b');
});

test('inspect -o json gives header and claims', async () => {
  const { out } = await runCli(['token', 'inspect', '-o', 'json'], { stdin: tokenWith() });
  expect(JSON.parse(out)).toEqual({ header: { typ: 'at+jwt', alg: 'ES256', kid: 'k1' }, claims: CLAIMS });
});

test('inspect reads a file; what is no token is a failure', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'token.txt'), tokenWith());
  expect((await runCli(['token', 'inspect', '--token-file', 'token.txt'], { cwd })).code).toBe(0);
  expect(await runCli(['token', 'inspect'], { stdin: 'opaque' })).toMatchObject({ code: 1, out: '' });
  expect(await runCli(['token', 'inspect'], { stdin: ' ' })).toMatchObject({ code: 2, out: '' });
  expect(await runCli(['token', 'inspect'], { answers: [] })).toMatchObject({ code: 2, out: '' });
});

test('a token is not taken from the command line', async () => {
  const { code, out } = await runCli(['token', 'inspect', tokenWith()]);
  expect({ code, out }).toEqual({ code: 2, out: '' });
});

const VERIFY = ['token', 'verify', '--audience', 'https://fraud.example', '--ignore-cutoffs'];

test('verify accepts what the API would accept', async () => {
  const authority = fakeAuthority({ 'GET /oauth/jwks': JWKS });
  const args = [...VERIFY, '--scope', 'fraud:read', '-o', 'json'];
  const { code, out } = await runAgainst(authority, args, { stdin: tokenWith() });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({ accepted: true, scopes: ['fraud:read'], claims: CLAIMS });
});

test.each([
  ['expired', { exp: NOW / 1000 - 60 }, [], '401'],
  ['wrong_audience', { aud: 'https://ledger.example' }, [], '401'],
  ['wrong_issuer', { iss: 'https://other.example' }, [], '401'],
  ['insufficient_scope', {}, ['--scope', 'fraud:write'], '403'],
])('verify: %s is denied (4) with its reason', async (reason, claims, more, status) => {
  const authority = fakeAuthority({ 'GET /oauth/jwks': JWKS });
  const { code, out, err } = await runAgainst(authority, [...VERIFY, ...more], { stdin: tokenWith(claims) });
  expect({ code, out }).toEqual({ code: 4, out: '' });
  expect(err).toContain(`error: The API would refuse it with ${status}: ${reason}\nfix: `);
});

test('verify: an opaque token is not called refused: only the authority can tell', async () => {
  const authority = fakeAuthority({ 'GET /oauth/jwks': JWKS });
  const { code, err } = await runAgainst(authority, VERIFY, { stdin: 'cot_abc' });
  expect(code).toBe(1);
  expect(err).toBe(
    'error: It is an opaque token, which says nothing without the authority\n' +
      'fix: An API that takes it asks the authority: docs/guide/introspect-and-revoke.md\n',
  );
});

test('verify: a signature by another key is denied', async () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const authority = fakeAuthority({ 'GET /oauth/jwks': { keys: [{ ...other, kid: 'k1', alg: 'ES256' }] } });
  const { code, err } = await runAgainst(authority, VERIFY, { stdin: tokenWith() });
  expect(code).toBe(4);
  expect(err).toContain('401: bad_signature');
});

test('verify: without the keys nothing can be said, which is unreachable (7)', async () => {
  const authority = fakeAuthority({ 'GET /oauth/jwks': () => new Response('no', { status: 500 }) });
  expect(await runAgainst(authority, VERIFY, { stdin: tokenWith() })).toMatchObject({ code: 7, out: '' });
});

/** A CBOR Web Token in base64url. */
function cborToken(claims: { readonly aud?: string; readonly exp?: number } = {}): string {
  const { iss, sub, aud, scope, iat, exp, crd, acs } = { ...CLAIMS, ...claims };
  const ids = { cti: Buffer.from('one'), kid: Buffer.from('name-of-its-key') };
  const payload = writeCwtClaims({ iss, sub, aud, scope, iat, exp, crd, acs, ...ids });
  const draft = draftSign1(ES256, 'k1', payload);
  const seal = sign('sha256', draft.toBeSigned, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return Buffer.from(draft.finish(seal)).toString('base64url');
}

test('inspect reads a CBOR Web Token, with its claims as a JWT would have them', async () => {
  const tokenFile = join(temporaryFolder(), 'token');
  writeFileSync(tokenFile, cborToken());
  const { code, out } = await runCli(['token', 'inspect', '--token-file', tokenFile, '-o', 'json']);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    header: { alg: 'ES256', kid: 'k1' },
    claims: { sub: 'payments', scope: 'fraud:read', jti: 'b25l', cnf: { kid: 'name-of-its-key' } },
  });
});

test.each([
  [{}, 0, '"accepted": true'],
  [{ aud: 'coaps://other.example' }, 4, 'wrong_audience'],
  [{ exp: NOW / 1000 }, 4, 'expired'],
])('verify judges a CBOR Web Token as a CoAP server would: %j', async (claims, expected, said) => {
  const tokenFile = join(temporaryFolder(), 'token');
  writeFileSync(tokenFile, cborToken(claims));
  const authority = fakeAuthority({ 'GET /oauth/jwks': JWKS });
  const args = [
    'token',
    'verify',
    '--audience',
    CLAIMS.aud,
    '--ignore-cutoffs',
    '-o',
    'json',
    '--token-file',
  ];
  const { code, out, err } = await runAgainst(authority, [...args, tokenFile]);
  expect(code, err).toBe(expected);
  expect(out + err).toContain(said);
});

test('verify refuses a CBOR Web Token that was changed, and one of a key that nobody publishes', async () => {
  const tokenFile = join(temporaryFolder(), 'token');
  const forged = Buffer.from(cborToken(), 'base64url');
  forged[forged.length - 1] = (forged.at(-1) as number) ^ 1;
  writeFileSync(tokenFile, forged.toString('base64url'));
  const args = ['token', 'verify', '--audience', CLAIMS.aud, '--ignore-cutoffs', '--token-file', tokenFile];
  const changed = await runAgainst(fakeAuthority({ 'GET /oauth/jwks': JWKS }), args);
  expect([changed.code, changed.err]).toEqual([4, expect.stringContaining('bad_signature')]);
});
