import { createHmac, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, signCompact, type AssertionKey } from './wire/client-assertion.ts';
import { send, type Answer } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { decodeJwt, encodeJwt } from './wire/jwt.ts';
import { seedScene, type SeededScene } from './wire/scene.ts';
import { dpopProof, learnNonce, seconds, thumbprint } from './wire/dpop-proof.ts';
import { currentTarget } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// Threats 16 to 19 and 43: DPoP proofs (RFC 9449 section 4.3) that are for another request, of another kind, or forged.
const target = currentTarget();

describe.runIf(target.admin !== undefined)('DPoP proofs (need the admin API)', () => {
  const holder = makeKey();
  const rsa = makeKey('PS256');
  let scene: SeededScene;
  let nonce: string | undefined;

  beforeAll(async () => {
    scene = await seedScene('proofs');
    nonce = await learnNonce(holder, { client: scene.client });
  });

  function show(...proofs: readonly string[]): Promise<Answer> {
    return askToken({ client: scene.client, headers: proofs.map((proof) => ['DPoP', proof] as const) });
  }
  function proof(claims: object = {}, header: object = {}, key: AssertionKey = holder): string {
    return dpopProof(key, target, { nonce, ...claims }, header);
  }
  const at = (change: (url: URL) => void): string => {
    const url = new URL(target.tokenEndpoint);
    change(url);
    return url.href;
  };

  test('one that is right binds the token to its key', async () => {
    const { token } = expectToken(await show(proof()), 'DPoP');
    expect(decodeJwt(token).claims['cnf']).toEqual({ jkt: thumbprint(holder) });
  });

  test.each(['ES384', 'PS256', 'EdDSA'] as const)('%s is taken too', async (alg) => {
    expectToken(await show(proof({}, {}, makeKey(alg))), 'DPoP');
  });

  describe('threat 18: fapi2-security-profile-final-dpop-negative-tests', () => {
    test.each<[string, () => string | readonly string[]]>([
      ['another method', () => proof({ htm: 'GET' })],
      ['the method in small letters', () => proof({ htm: 'post' })],
      ['no method', () => proof({ htm: undefined })],
      ['another path', () => proof({ htu: at((url) => (url.pathname += '/x')) })],
      ['another endpoint', () => proof({ htu: `${target.issuer}/oauth/introspect` })],
      ['another host', () => proof({ htu: at((url) => (url.hostname = 'evil.example')) })],
      ['another port', () => proof({ htu: at((url) => (url.port = '1')) })],
      ['another scheme', () => proof({ htu: target.tokenEndpoint.replace(/^https?/, 'ftp') })],
      ['a user in the URL', () => proof({ htu: at((url) => (url.username = 'x')) })],
      ['a path alone', () => proof({ htu: new URL(target.tokenEndpoint).pathname })],
      ['no URL', () => proof({ htu: undefined })],
      ['a URL that is no text', () => proof({ htu: [target.tokenEndpoint] })],
      ['no jti', () => proof({ jti: undefined })],
      ['an empty jti', () => proof({ jti: '' })],
      ['a jti that is a number', () => proof({ jti: 7 })],
      ['no iat', () => proof({ iat: undefined })],
      ['an iat in text', () => proof({ iat: String(seconds()) })],
      ['an iat in milliseconds', () => proof({ iat: Date.now() })],
      ['two headers', () => [proof(), proof()]],
      ['two joined by a comma', () => `${proof()}, ${proof()}`],
      ['no JWT', () => 'nonsense'],
      ['four parts', () => `${proof()}.x`],
      ['changed claims', () => tampered()],
      ['no signature', () => `${proof().split('.').slice(0, 2).join('.')}.`],
      ['an unknown critical extension', () => proof({}, { crit: ['x'], x: 1 })],
    ])('%s: invalid_dpop_proof', async (_what, make) => {
      const made = make();
      const answer = await show(...(typeof made === 'string' ? [made] : made));
      expectOAuthError(answer, 400, 'invalid_dpop_proof');
      expect(answer.text).not.toContain('access_token');
    });

    test('used twice: the second is refused', async () => {
      const once = proof();
      expectToken(await show(once), 'DPoP');
      expectOAuthError(await show(once), 400, 'invalid_dpop_proof');
    });

    test('without a nonce, or with an invented one: use_dpop_nonce and the nonce to use', async () => {
      for (const wrong of [undefined, 'invented', `${nonce ?? ''}x`]) {
        const answer = await show(proof({ nonce: wrong }));
        expectOAuthError(answer, 400, 'use_dpop_nonce');
        expect(answer.headers['dpop-nonce']).toEqual(expect.any(String));
        expectToken(await show(proof({ nonce: answer.headers['dpop-nonce'] })), 'DPoP');
      }
    });

    test('threat 51: what a proxy or a caller says of the host does not count', async () => {
      const answer = await askToken({
        client: scene.client,
        headers: [
          ['X-Forwarded-Host', 'evil.example'],
          ['X-Forwarded-Proto', 'https'],
          ['Forwarded', 'host=evil.example;proto=https'],
          ['DPoP', proof({ htu: 'https://evil.example/oauth/token' })],
        ],
      });
      expectOAuthError(answer, 400, 'invalid_dpop_proof');
    });

    test('a URL written otherwise is the same URL', async () => {
      const { origin, pathname } = new URL(target.tokenEndpoint);
      const shouted = `${origin.replace('https', 'HTTPS')}/./${pathname.slice(1)}?q=1#f`;
      expectToken(await show(proof({ htu: shouted })), 'DPoP');
    });
  });

  describe('threat 16: forged signatures', () => {
    const { privateKey } = holder;
    test.each<[string, () => string]>([
      ['alg none', () => encodeJwt(headerOf('none'), goodClaims(), Buffer.alloc(0))],
      ['alg none with a signature', () => encodeJwt(headerOf('none'), goodClaims())],
      ['alg None', () => encodeJwt(headerOf('None'), goodClaims())],
      ['HMAC with the public key', () => hmac(JSON.stringify(holder.jwk))],
      ['HMAC with a key of the caller', () => proof({}, { alg: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } })],
      ['a private key in it', () => proof({}, { jwk: privateKey.export({ format: 'jwk' }) })],
      ['no key in it', () => proof({}, { jwk: undefined })],
      ['the key of another', () => proof({}, { jwk: makeKey().jwk })],
      ['jku beside no jwk', () => proof({}, { jwk: undefined, jku: 'https://evil.example/jwks' })],
      ['a certificate in the place of the key', () => proof({}, { jwk: undefined, x5c: ['MIIB'] })],
      ['a kid in the place of the key', () => proof({}, { jwk: undefined, kid: thumbprint(holder) })],
      ['PKCS #1', () => proof({}, {}, { ...rsa, alg: 'RS256' })],
      ['another algorithm than the key', () => proof({}, { alg: 'ES384' })],
      ['a psychic signature (CVE-2022-21449)', () => signedWith(Buffer.alloc(64))],
      ['a DER signature', () => signedWith(der())],
      ['a signature that is too short', () => signedWith(Buffer.alloc(63, 1))],
      [
        'a weak RSA key',
        () => proof({}, { alg: 'PS256', jwk: { ...rsa.jwk, n: String(rsa.jwk['n']).slice(0, 171) } }),
      ],
      ['a point off the curve', () => proof({}, { jwk: { ...holder.jwk, y: holder.jwk['x'] } })],
    ])('%s: invalid_dpop_proof', async (_what, make) => {
      expectOAuthError(await show(make()), 400, 'invalid_dpop_proof');
    });
  });

  describe('threat 43: clocks', () => {
    test.each([-50, -10, 0, 10, 25])('%d seconds away is taken', async (offset) => {
      expectToken(await show(proof({ iat: seconds(offset) })), 'DPoP');
    });
    test.each([-3600, -62, 62, 3600])('%d seconds away is refused', async (offset) => {
      expectOAuthError(await show(proof({ iat: seconds(offset) })), 400, 'invalid_dpop_proof');
    });
  });

  describe('threat 19: a bound token', () => {
    test('is refused as a bearer token, and with the scheme DPoP without a proof', async () => {
      const params = { resource: target.admin?.resource as string };
      const client = target.admin?.client as { id: string; secret: string };
      const headers = [['DPoP', proof()]] as const;
      const { token } = expectToken(await askToken({ client, params, headers }), 'DPoP');
      for (const scheme of ['Bearer', 'DPoP', 'dpop']) {
        const answer = await send(`${target.admin?.api ?? ''}/identities`, {
          ca: target.ca,
          headers: [['Authorization', `${scheme} ${token}`]],
        });
        expect(answer.status).toBe(401);
        expect(answer.headers['www-authenticate']).toBeTruthy();
      }
    });
  });

  function goodClaims(): object {
    return { jti: randomUUID(), htm: 'POST', htu: target.tokenEndpoint, iat: seconds(), nonce };
  }
  function headerOf(alg: string): object {
    return { typ: 'dpop+jwt', alg, jwk: holder.jwk };
  }
  function tampered(): string {
    const { header, claims, signature } = decodeJwt(proof());
    return encodeJwt(header, { ...claims, jti: randomUUID() }, signature);
  }
  function signedWith(signature: Buffer): string {
    const { header, claims } = decodeJwt(proof());
    return encodeJwt(header, claims, signature);
  }
  function hmac(secret: string): string {
    const input = encodeJwt(headerOf('HS256'), goodClaims()).split('.').slice(0, 2).join('.');
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  }
  function der(): Buffer {
    const made = signCompact({}, {}, holder);
    const raw = decodeJwt(made).signature;
    const half = (part: Buffer): Buffer => Buffer.concat([Buffer.from([2, 33, 0]), part]);
    const body = Buffer.concat([half(raw.subarray(0, 32)), half(raw.subarray(32))]);
    return Buffer.concat([Buffer.from([0x30, body.length]), body]);
  }
});
