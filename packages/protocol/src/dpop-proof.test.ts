// Proofs of RFC 9449 §4.3: every good one taken, every one with something wrong refused.
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DPOP_ALGORITHMS } from './dpop-algorithms.ts';
import { type DpopExpectation, dpopUri } from './dpop-proof.ts';
import { accessTokenHash, checkDpopProof, dpopProofUse } from './dpop-proof-check.ts';
import { type JsonWebKey } from './jwk.ts';
import { jwkThumbprint } from './verification-key.ts';
import { signJws } from './jws-signature.ts';
import type { JwsAlgorithm } from './jws-algorithm.ts';

const NOW = 1_800_000_000;
const URI = 'https://api.example.com/a/b';
const WANTED: DpopExpectation = { method: 'POST', uris: [URI], now: NOW };

interface Holder {
  readonly alg: JwsAlgorithm;
  readonly keyObject: KeyObject;
  readonly jwk: JsonWebKey;
}
function holder(alg: JwsAlgorithm): Holder {
  const pair = alg.startsWith('ES')
    ? generateKeyPairSync('ec', { namedCurve: alg === 'ES256' ? 'P-256' : 'P-384' })
    : alg.startsWith('Ed')
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    alg,
    keyObject: pair.privateKey,
    jwk: pair.publicKey.export({ format: 'jwk' }) as unknown as JsonWebKey,
  };
}
const HOLDERS = DPOP_ALGORITHMS.map(holder);
const ES = HOLDERS[0] as Holder;
const GOOD = { jti: 'j', htm: 'POST', htu: URI, iat: NOW };

function made(by: Holder, claims: object = GOOD, header: object = {}): string {
  const signer = { kid: undefined, alg: by.alg, keyObject: by.keyObject };
  return signJws({ typ: 'dpop+jwt', jwk: by.jwk, ...header }, JSON.stringify(claims), signer);
}
const fault = (text: string, wanted = WANTED) => {
  const result = checkDpopProof(text, wanted);
  return result.ok ? 'taken' : result.fault;
};

describe('a good proof', () => {
  it.each(HOLDERS)('of $alg is taken, with the thumbprint of its key', (by) => {
    const result = checkDpopProof(made(by), WANTED);
    expect(result).toEqual({
      ok: true,
      proof: { jkt: jwkThumbprint(by.jwk), jti: 'j', iat: NOW, nonce: undefined },
    });
  });

  it('is never refused, however it is made', () => {
    const claims = fc.record(
      {
        jti: fc.string({ minLength: 1, maxLength: 256, unit: 'grapheme-ascii' }),
        iat: fc.integer({ min: NOW - 60, max: NOW + 30 }),
        htm: fc.constant('POST'),
        htu: fc.constantFrom(
          URI,
          `${URI}?q=1`,
          `${URI}#f`,
          'HTTPS://API.example.com:443/a/./b',
          'https://api.example.com/%61/x/../b',
        ),
        nonce: fc.string(),
        exp: fc.integer({ min: NOW, max: NOW + 600 }),
        more: fc.anything({ maxDepth: 1 }).filter((value) => !String(JSON.stringify(value)).includes('\\u')),
      },
      { requiredKeys: ['jti', 'iat', 'htm', 'htu'] },
    );
    fc.assert(
      fc.property(claims, fc.constantFrom(...HOLDERS), (each, by) => fault(made(by, each)) === 'taken'),
      { numRuns: 300 },
    );
  });
});

describe('a proof with something wrong is refused', () => {
  const without = (name: string) => Object.fromEntries(Object.entries(GOOD).filter(([key]) => key !== name));
  const privateJwk = ES.keyObject.export({ format: 'jwk' });
  const rsa = HOLDERS[2] as Holder;
  it.each<[string, string, string]>([
    ['no JWT', 'x', 'malformed'],
    ['empty', '', 'malformed'],
    ['two joined by a proxy', `${made(ES)}, ${made(ES)}`, 'malformed'],
    ['too long', made(ES, { ...GOOD, more: 'x'.repeat(8192) }), 'malformed'],
    ['crit', made(ES, GOOD, { crit: ['x'], x: 1 }), 'malformed'],
    ['an access token', made(ES, GOOD, { typ: 'at+jwt' }), 'wrong_typ'],
    ['a client assertion', made(ES, GOOD, { typ: 'client-authentication+jwt' }), 'wrong_typ'],
    ['a cut-off feed', made(ES, GOOD, { typ: 'cutoffs+jwt' }), 'wrong_typ'],
    ['plain JWT', made(ES, GOOD, { typ: 'JWT' }), 'wrong_typ'],
    ['no typ', made(ES, GOOD, { typ: undefined }), 'wrong_typ'],
    ['typ in another case', made(ES, GOOD, { typ: 'DPoP+jwt' }), 'wrong_typ'],
    ['typ with its prefix', made(ES, GOOD, { typ: 'application/dpop+jwt' }), 'wrong_typ'],
    ['PKCS #1', made({ ...rsa, alg: 'RS256' }), 'algorithm_not_allowed'],
    ['no jwk', made(ES, GOOD, { jwk: undefined }), 'bad_key'],
    ['a private jwk', made(ES, GOOD, { jwk: privateJwk }), 'bad_key'],
    ['a symmetric jwk', made(ES, GOOD, { jwk: { kty: 'oct', k: 'AAAA' } }), 'bad_key'],
    ['a jwk for encryption', made(ES, GOOD, { jwk: { ...ES.jwk, use: 'enc' } }), 'bad_key'],
    ['a jwk of another algorithm', made(ES, GOOD, { jwk: { ...rsa.jwk } }), 'bad_key'],
    ['the key of another', made(ES, GOOD, { jwk: holder('ES256').jwk }), 'bad_signature'],
    ['no jti', made(ES, without('jti')), 'bad_claims'],
    ['an empty jti', made(ES, { ...GOOD, jti: '' }), 'bad_claims'],
    ['a jti of 257', made(ES, { ...GOOD, jti: 'x'.repeat(257) }), 'bad_claims'],
    ['no iat', made(ES, without('iat')), 'bad_claims'],
    ['an iat in text', made(ES, { ...GOOD, iat: String(NOW) }), 'bad_claims'],
    ['no htm', made(ES, without('htm')), 'bad_claims'],
    ['no htu', made(ES, without('htu')), 'bad_claims'],
    ['a nonce that is a number', made(ES, { ...GOOD, nonce: 1 }), 'bad_claims'],
    ['a method in another case', made(ES, { ...GOOD, htm: 'post' }), 'wrong_method'],
    ['another method', made(ES, { ...GOOD, htm: 'GET' }), 'wrong_method'],
    ['61 seconds old', made(ES, { ...GOOD, iat: NOW - 61 }), 'outdated'],
    ['31 seconds ahead', made(ES, { ...GOOD, iat: NOW + 31 }), 'issued_in_the_future'],
    ['past its own exp', made(ES, { ...GOOD, exp: NOW - 300 }), 'outdated'],
    ['before its own nbf', made(ES, { ...GOOD, nbf: NOW + 300 }), 'issued_in_the_future'],
  ])('%s', (_, text, expected) => expect(fault(text)).toBe(expected));

  it.each([
    'https://api.example.com/a/c',
    'https://api.example.com/A/b',
    'https://api.example.com/a/b/',
    'https://api.example.com/a%2Fb',
    'http://api.example.com/a/b',
    'https://api.example.com:8443/a/b',
    'https://api.example.org/a/b',
    'https://user@api.example.com/a/b',
    'https://api.example.com\\a\\b',
    'https://api.example.com/a/\tb',
    ' https://api.example.com/a/b',
    '/a/b',
    '',
  ])('for %j', (htu) => expect(fault(made(ES, { ...GOOD, htu }))).toBe('wrong_url'));

  it('with an HMAC under its own public key, or none', () => {
    for (const [alg, sign] of [
      [
        'HS256',
        (text: string) => createHmac('sha256', JSON.stringify(ES.jwk)).update(text).digest('base64url'),
      ],
      ['none', () => 'AA'],
    ] as const) {
      const header = { typ: 'dpop+jwt', jwk: ES.jwk, alg };
      const input = [header, GOOD]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      expect(fault(`${input}.${sign(input)}`)).toBe('algorithm_not_allowed');
    }
  });

  it('wherever one character is another', () => {
    const text = made(ES);
    const position = fc.nat({ max: text.length - 1 });
    const char = fc.constantFrom(...'ABCXYZabcxyz0189-_.,= '.split(''));
    fc.assert(
      fc.property(position, char, (at, other) => {
        fc.pre(text[at] !== other);
        return fault(text.slice(0, at) + other + text.slice(at + 1)) !== 'taken';
      }),
      { numRuns: 1000 },
    );
  });

  it('for another token, or for none', () => {
    const wanted = { ...WANTED, accessToken: 'token' };
    expect(fault(made(ES, { ...GOOD, ath: accessTokenHash('token') }), wanted)).toBe('taken');
    expect(fault(made(ES, { ...GOOD, ath: accessTokenHash('other') }), wanted)).toBe('wrong_token');
    expect(fault(made(ES), wanted)).toBe('wrong_token');
  });
});

it('is remembered by key, URI and jti, until no clock takes it any more', () => {
  const proof = { jkt: 'k', jti: 'j', iat: NOW, nonce: undefined };
  const { id, until } = dpopProofUse(proof, URI);
  expect(dpopProofUse({ ...proof, iat: NOW + 5, nonce: 'n' }, URI).id).toBe(id);
  for (const other of [
    dpopProofUse({ ...proof, jkt: 'l' }, URI),
    dpopProofUse({ ...proof, jti: 'l' }, URI),
    dpopProofUse(proof, `${URI}/c`),
  ]) {
    expect(other.id).not.toBe(id);
  }
  expect(fault(made(ES), { ...WANTED, now: until - 1 })).toBe('taken');
  expect(fault(made(ES), { ...WANTED, now: until })).toBe('outdated');
});

it('a URL is compared after RFC 3986 normalisation, and what is no http URL not at all', () => {
  expect(dpopUri('HTTPS://API.Example.com:443/%7efoo/%2f/../x?q#f')).toBe('https://api.example.com/~foo/x');
  expect(dpopUri('https://api.example.com')).toBe('https://api.example.com/');
  for (const text of ['ftp://x/', 'urn:x', 'https://', 'https:x', 'https:///x']) {
    expect(dpopUri(text), text).toBeUndefined();
  }
});
