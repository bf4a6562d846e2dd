import { generateKeyPairSync } from 'node:crypto';
import * as jose from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { AUDIENCE, startTinyIssuer, type TinyIssuer } from '../test/tiny-issuer.ts';
import { verifierScene } from '../test/verifier-scene.ts';
import { type VerifierOptionFault, VerifierOptionError, type VerifierOptions } from './options.ts';
import type { RefusalReason } from './refusal.ts';
import { createVerifier } from './create-verifier.ts';
import type { Verifier } from './verifier.ts';

const scene = verifierScene();
const verifierOf = (options?: Partial<VerifierOptions>): Verifier => scene.open(options);
const reasonOf = async (verifier: Verifier, token: string | undefined, scope?: string) => {
  const result = await verifier.verify(token, scope === undefined ? {} : { scope });
  return result.ok ? 'ok' : result.reason;
};

describe('a token', () => {
  it('of the issuer, for this API, with the scope, is accepted without further calls', async () => {
    const verifier = verifierOf();
    await verifier.ready();
    const calls = [...scene.tiny.hits.values()].reduce((a, b) => a + b, 0);
    for (let i = 0; i < 20; i++) {
      const result = await verifier.verify(scene.tiny.token(), { scope: 'fraud:read' });
      expect(result).toMatchObject({
        ok: true,
        scopes: ['fraud:read', 'fraud:list'],
        claims: { client_id: 'payments' },
      });
    }
    expect([...scene.tiny.hits.values()].reduce((a, b) => a + b, 0)).toBe(calls);
  });

  it('made by jose is accepted', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    scene.tiny.jwks.keys.push({
      ...publicKey.export({ format: 'jwk' }),
      kid: 'rsa',
      alg: 'PS256',
      use: 'sig',
    });
    const token = await new jose.SignJWT({ client_id: 'c', scope: 'fraud:read' })
      .setProtectedHeader({ alg: 'PS256', typ: 'application/at+jwt', kid: 'rsa' })
      .setIssuer(scene.tiny.issuer)
      .setAudience([AUDIENCE, 'urn:other'])
      .setSubject('c')
      .setIssuedAt(scene.now)
      .setExpirationTime(scene.now + 60)
      .setJti('j')
      .sign(privateKey);
    expect(await reasonOf(verifierOf(), token, 'fraud:read')).toBe('ok');
    expect(await reasonOf(verifierOf({ algorithms: ['ES256'] }), token)).toBe('algorithm_not_allowed');
  });

  it.each<[RefusalReason, number, string | undefined, (tiny: TinyIssuer) => string | undefined]>([
    ['no_token', 401, undefined, () => undefined],
    ['no_token', 401, undefined, () => ''],
    ['malformed_token', 401, 'invalid_token', () => 'x'],
    ['malformed_token', 401, 'invalid_token', (t) => `${t.token()} `],
    ['malformed_token', 401, 'invalid_token', (t) => t.token({}, { crit: ['x'] })],
    ['malformed_token', 401, 'invalid_token', () => 'a'.repeat(100_000)],
    ['bad_claims', 401, 'invalid_token', (t) => t.token({ jti: undefined })],
    ['bad_claims', 401, 'invalid_token', (t) => t.token({ sub: 1 })],
    ['wrong_typ', 401, 'invalid_token', (t) => t.token({}, { typ: 'JWT' })],
    ['wrong_typ', 401, 'invalid_token', (t) => t.token({}, { typ: 'cutoffs+jwt' })],
    ['wrong_issuer', 401, 'invalid_token', (t) => t.token({ iss: `${t.issuer}/` })],
    ['wrong_audience', 401, 'invalid_token', (t) => t.token({ aud: 'https://ledger.example.com' })],
    ['expired', 401, 'invalid_token', (t) => t.token({ iat: scene.now - 700, exp: scene.now - 5 })],
    ['not_yet_valid', 401, 'invalid_token', (t) => t.token({ nbf: scene.now + 6 })],
    ['issued_in_the_future', 401, 'invalid_token', (t) => t.token({ iat: scene.now + 6 })],
    ['unknown_key', 401, 'invalid_token', (t) => t.token({}, {}, { ...key(), kid: 'k2' })],
    ['bad_signature', 401, 'invalid_token', (t) => t.token({}, {}, { ...key(), kid: 'k1' })],
    ['algorithm_not_allowed', 401, 'invalid_token', (t) => withAlg(t.token(), 'none')],
    ['algorithm_not_allowed', 401, 'invalid_token', (t) => withAlg(t.token(), 'HS256')],
    ['bad_signature', 401, 'invalid_token', (t) => withAlg(t.token(), 'ES384')],
    ['certificate_missing', 401, 'invalid_token', (t) => t.token({ cnf: { 'x5t#S256': THUMBPRINT } })],
    ['sender_constraint_not_supported', 401, 'invalid_token', (t) => t.token({ cnf: { later: 1 } })],
    ['insufficient_scope', 403, 'insufficient_scope', (t) => t.token({ scope: 'fraud:list' })],
    ['insufficient_scope', 403, 'insufficient_scope', (t) => t.token({ scope: undefined })],
    [
      'insufficient_scope',
      403,
      'insufficient_scope',
      (t) => t.token({ scope: 'fraud:rea fraud:reads FRAUD:READ' }),
    ],
  ])('is refused: %s (%i %s)', async (reason, status, error, make) => {
    const result = await verifierOf().verify(make(scene.tiny), { scope: 'fraud:read' });
    expect(result).toMatchObject({ ok: false, reason, status, error });
    const challenge = result.ok ? '' : result.headers['WWW-Authenticate'];
    const scope = error === 'insufficient_scope' ? ', scope="fraud:read"' : '';
    expect(challenge).toBe(error === undefined ? 'Bearer' : `Bearer error="${error}"${scope}`);
  });

  it('that is something else than text is refused, not thrown about, even where it would become a good one', async () => {
    for (const odd of [{ toString: [] }, [scene.tiny.token()], new String(scene.tiny.token()), Symbol('x')]) {
      expect(await reasonOf(verifierOf(), odd as unknown as string)).toBe('malformed_token');
    }
    for (const junk of [null, 1, {}, [], true] as unknown as string[]) {
      expect(await reasonOf(verifierOf(), junk)).toBe('malformed_token');
    }
  });

  it('with an embedded key is judged by the published one', async () => {
    const mine = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = mine.publicKey.export({ format: 'jwk' });
    const forged = scene.tiny.token(
      {},
      { jwk, jku: 'http://127.0.0.1:1/', x5u: 'http://127.0.0.1:1/' },
      { kid: 'k1', alg: 'ES256', keyObject: mine.privateKey },
    );
    expect(await reasonOf(verifierOf(), forged)).toBe('bad_signature');
  });

  it('of one issuer does not pass for that of another', async () => {
    const other = await startTinyIssuer(() => scene.now);
    try {
      const verifier = verifierOf({
        issuer: undefined,
        issuers: [scene.tiny.issuer, { issuer: other.issuer, allowPlainJwt: true }],
      } as never);
      expect(await reasonOf(verifier, scene.tiny.token())).toBe('ok');
      expect(await reasonOf(verifier, other.token({}, { typ: 'JWT' }))).toBe('ok');
      expect(await reasonOf(verifier, scene.tiny.token({}, { typ: 'JWT' }))).toBe('wrong_typ');
      expect(await reasonOf(verifier, scene.tiny.token({ iss: other.issuer }))).toBe('bad_signature');
    } finally {
      await other.close();
    }
  });
});

describe('keys', () => {
  it('are fetched once for many tokens at once', async () => {
    const verifier = verifierOf();
    await Promise.all(Array.from({ length: 50 }, () => verifier.verify(scene.tiny.token())));
    expect(scene.tiny.hits.get('/oauth/jwks')).toBe(1);
  });

  it('that appear later are found, but a flood of unknown ones fetches once in 30 seconds', async () => {
    const verifier = verifierOf();
    expect(await reasonOf(verifier, scene.tiny.token())).toBe('ok');
    const next = scene.tiny.addKey('k2');
    for (let i = 0; i < 20; i++)
      expect(await reasonOf(verifier, scene.tiny.token({}, {}, next))).toBe('unknown_key');
    expect(scene.tiny.hits.get('/oauth/jwks')).toBe(1);
    scene.now += 30;
    expect(await reasonOf(verifier, scene.tiny.token({}, {}, next))).toBe('ok');
    for (let i = 0; i < 20; i++)
      await verifier.verify(scene.tiny.token({}, {}, { ...next, kid: `unknown${i}` }));
    expect(scene.tiny.hits.get('/oauth/jwks')).toBe(2);
  });

  it('that are withdrawn are no longer trusted after the refresh', async () => {
    const verifier = verifierOf();
    const token = scene.tiny.token({ exp: scene.now + 3600 });
    expect(await reasonOf(verifier, token)).toBe('ok');
    scene.tiny.addKey('k2');
    scene.tiny.jwks.keys.shift();
    scene.now += 301;
    await verifier.verify(token);
    await vi.waitFor(async () => expect(await reasonOf(verifier, token)).toBe('unknown_key'));
  });

  it('that are withdrawn are no longer trusted when the clock was set back meanwhile', async () => {
    const verifier = verifierOf();
    expect(await reasonOf(verifier, scene.tiny.token())).toBe('ok');
    scene.tiny.addKey('k2');
    scene.tiny.jwks.keys.shift();
    scene.now -= 400;
    const token = scene.tiny.token();
    await verifier.verify(token);
    await vi.waitFor(async () => expect(await reasonOf(verifier, token)).toBe('unknown_key'));
  });

  it('are used for a day without the issuer, and then no longer', async () => {
    const verifier = verifierOf();
    await verifier.ready();
    scene.tiny.intercept = (_, response) => {
      response.writeHead(500).end();
      return true;
    };
    scene.now += 86_400;
    expect(await reasonOf(verifier, scene.tiny.token())).toBe('ok');
    scene.now += 60;
    const result = await verifier.verify(scene.tiny.token());
    expect(result).toMatchObject({
      status: 503,
      error: undefined,
      reason: 'keys_unavailable',
      headers: { 'Retry-After': '5' },
    });
    expect(result.ok || result.headers['WWW-Authenticate']).toBeUndefined();
    scene.tiny.intercept = () => false;
    scene.now += 1;
    expect(await reasonOf(verifier, scene.tiny.token())).toBe('ok');
  });

  it.each<[string, (tiny: TinyIssuer) => void]>([
    ['metadata of another issuer', (t) => void (t.metadata['issuer'] = 'https://evil.example')],
    ['metadata without jwks_uri', (t) => void delete t.metadata['jwks_uri']],
    [
      'a jwks_uri that is neither https nor loopback',
      (t) => void (t.metadata['jwks_uri'] = 'http://192.0.2.1/'),
    ],
    ['no metadata', (t) => void (t.intercept = (_, r) => !!r.writeHead(404).end())],
    [
      'a redirect',
      (t) => void (t.intercept = (_, r) => !!r.writeHead(302, { location: `${t.issuer}/oauth/jwks` }).end()),
    ],
    ['a set of 101 keys', (t) => void (t.jwks = { keys: Array(101).fill(t.jwks.keys[0]) })],
    ['300 kB', (t) => void (t.jwks = { ...t.jwks, padding: 'x'.repeat(300_000) } as never)],
    ['no set', (t) => void (t.jwks = [] as never)],
    ['two keys with one kid', (t) => void t.addKey('k1')],
    ['a private key', (t) => void (t.jwks = { keys: [{ ...(t.jwks.keys[0] as object), d: 'AAAA' }] })],
    ['a connection that breaks', (t) => void (t.intercept = (q) => !!q.socket.destroy())],
  ])('cannot be had from %s', async (_, bend) => {
    bend(scene.tiny);
    expect(await reasonOf(verifierOf(), scene.tiny.token())).toBe('keys_unavailable');
  });

  it('may be at an address, or given', async () => {
    const token = scene.tiny.token();
    expect(await reasonOf(verifierOf({ jwks: `${scene.tiny.issuer}/oauth/jwks` }), token)).toBe('ok');
    expect(scene.tiny.hits.get('/.well-known/oauth-authorization-server')).toBeUndefined();
    const given = verifierOf({ jwks: structuredClone(scene.tiny.jwks) });
    const before = scene.tiny.hits.get('/oauth/jwks');
    expect(await reasonOf(given, token)).toBe('ok');
    expect(await reasonOf(given, scene.tiny.token({}, {}, { ...key(), kid: 'k9' }))).toBe('unknown_key');
    expect(scene.tiny.hits.get('/oauth/jwks')).toBe(before);
  });

  it('are found through the OpenID document where there is no other', async () => {
    scene.tiny.intercept = (request, response) => {
      if (request.url === '/.well-known/oauth-authorization-server') response.writeHead(404).end();
      else if (request.url === '/.well-known/openid-configuration')
        response.writeHead(200).end(JSON.stringify(scene.tiny.metadata));
      else return false;
      return true;
    };
    expect(await reasonOf(verifierOf(), scene.tiny.token())).toBe('ok');
  });

  it('are found for a token without kid only when there is one that fits', async () => {
    const anonymous = { ...key(), kid: undefined };
    scene.tiny.jwks.keys.push({
      kty: 'OKP',
      crv: 'Ed25519',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    });
    expect(await reasonOf(verifierOf(), scene.tiny.token({}, {}, anonymous))).toBe('bad_signature');
    scene.tiny.addKey('k2');
    expect(await reasonOf(verifierOf(), scene.tiny.token({}, {}, anonymous))).toBe('unknown_key');
  });
});

it('a verifier that was closed accepts nothing', async () => {
  const verifier = verifierOf();
  await verifier.ready();
  await verifier.close();
  expect(await reasonOf(verifier, scene.tiny.token())).toBe('closed');
  await expect(verifier.ready()).rejects.toMatchObject({ code: 'not_ready' });
});

describe('ready, where the certificate is not trusted', () => {
  const untrusting = (async () => {
    const cause = Object.assign(new Error('self-signed'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' });
    throw new TypeError('fetch failed', { cause });
  }) as typeof globalThis.fetch;

  it.each([
    ['keys that must be fetched', false],
    ['a given key set', true],
  ])('rejects at once and says what to do (%s)', async (_, given) => {
    const verifier = verifierOf({
      cutoffs: {},
      ...(given ? { jwks: scene.tiny.jwks } : {}),
      fetch: untrusting,
    });
    const started = performance.now();
    await expect(verifier.ready()).rejects.toMatchObject({
      code: 'not_ready',
      message: expect.stringMatching(
        /^not ready: the certificate is not trusted: pass fetch: fetchTrusting\(ca\): http.*\(SELF_SIGNED_CERT_IN_CHAIN\)$/,
      ),
    });
    expect(performance.now() - started).toBeLessThan(2000);
    await verifier.close();
  });

  it('rejects at once when the metadata are of another issuer: the address is not what it is called', async () => {
    scene.tiny.metadata['issuer'] = `${scene.tiny.issuer}/`;
    const started = performance.now();
    await expect(verifierOf().ready()).rejects.toThrow(
      `is the metadata of another issuer than ${scene.tiny.issuer}`,
    );
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

it('a scope that is none is the mistake of the API, and loud', async () => {
  await expect(verifierOf().verify(scene.tiny.token(), { scope: 'a  b' })).rejects.toThrow(TypeError);
});

describe('options', () => {
  it.each<[string, VerifierOptionFault, object]>([
    ['issuer', 'missing_option', { issuer: undefined }],
    ['issuer', 'missing_option', { issuers: ['https://a.example'] }],
    ['issuer', 'bad_option', { issuer: 'http://as.example.com' }],
    ['issuers', 'missing_option', { issuer: undefined, issuers: [] }],
    ['issuers', 'bad_option', { issuer: undefined, issuers: ['https://a.example', 'https://a.example'] }],
    ['audience', 'missing_option', { audience: undefined }],
    ['audience', 'missing_option', { audience: [] }],
    ['audience', 'bad_option', { audience: 'x ' }],
    ['algorithms', 'bad_option', { algorithms: ['none'] }],
    ['algorithms', 'bad_option', { algorithms: [] }],
    ['jwks', 'bad_option', { jwks: 'http://as.example.com/jwks' }],
    ['leeway', 'bad_option', { leeway: 61 }],
    ['leeway', 'bad_option', { leeway: Number.NaN }],
    ['cutoffs.staleAfter', 'bad_option', { cutoffs: { staleAfter: 0 } }],
    ['cutoffs.onStale', 'bad_option', { cutoffs: { onStale: 'accept' } }],
    ['cutoffs.onStale.acceptYoungerThan', 'bad_option', { cutoffs: { onStale: { acceptYoungerThan: 0 } } }],
    ['introspect', 'bad_option', { introspect: {} }],
    ['apiKeys.issuer', 'bad_option', { apiKeys: { issuer: 'https://other.example' } }],
    ['apiKeys.cacheFor', 'bad_option', { apiKeys: { cacheFor: 61 } }],
    ['usage', 'bad_option', { usage: {} }],
    ['metadata', 'bad_option', { audience: 'urn:fraud', metadata: {} }],
    ['metadata.scopes', 'bad_option', { metadata: { scopes: ['a b'] } }],
    ['onRefusal', 'bad_option', { onRefusal: 'log' }],
    ['usage.onFailure', 'bad_option', { usage: { client: { fetch }, onFailure: true } }],
    // What is misspelt would be left out, and what it asks for with it.
    ['senderConstrained', 'bad_option', { senderConstrained: 'dpop' }],
    ['onRefused', 'bad_option', { onRefused: () => undefined }],
    [
      'issuers.algoritms',
      'bad_option',
      { issuer: undefined, issuers: [{ issuer: 'https://a.example', algoritms: ['ES256'] }] },
    ],
    ['cutoffs.onstale', 'bad_option', { cutoffs: { onstale: 'refuse' } }],
    ['dpop.nonce', 'bad_option', { dpop: { nonce: true } }],
    ['dpop.nonces', 'bad_option', { dpop: { nonces: { keys: new Uint8Array(32) } } }],
    ['apiKeys.cachedFor', 'bad_option', { apiKeys: { cachedFor: 1 } }],
    ['usage.issuers', 'bad_option', { usage: { client: { fetch }, issuers: 'https://as.example.com' } }],
    ['metadata.scope', 'bad_option', { metadata: { scope: ['a'] } }],
    [
      'certificateHeader.proxy',
      'bad_option',
      { certificateHeader: { dialect: 'nginx', proxies: ['10.0.0.1'], proxy: '10.0.0.2' } },
    ],
  ])('%s: %s', (option, code, change) => {
    let thrown: unknown;
    try {
      createVerifier({ issuer: 'https://as.example.com', audience: AUDIENCE, ...change } as VerifierOptions);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(VerifierOptionError);
    expect(thrown).toMatchObject({ option, code });
  });
});

const THUMBPRINT = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';
function key() {
  return { alg: 'ES256', keyObject: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey } as const;
}
function withAlg(token: string, alg: string): string {
  const [, payload, signature] = token.split('.');
  const header = Buffer.from(JSON.stringify({ typ: 'at+jwt', kid: 'k1', alg })).toString('base64url');
  return `${header}.${payload}.${signature}`;
}
