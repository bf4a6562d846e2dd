// Assertions of RFC 7523 §3 and RFC 10070: every good one taken, every one with something wrong refused.
import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  candidateKeys,
  CLIENT_ASSERTION_ALGORITHMS,
  type ClientAssertionKey,
  clientAssertionMismatch,
  isSignedBy,
  parseClientAssertion,
  parseClientJwk,
} from './client-assertion.ts';
import { checkDpopProof } from './dpop-proof-check.ts';
import type { JsonWebKey } from './jwk.ts';
import { signJws } from './jws-signature.ts';
import type { JwsAlgorithm } from './jws-algorithm.ts';

const NOW = 1_800_000_000;
const ISSUER = 'https://as.example.com';

interface Holder {
  readonly alg: JwsAlgorithm;
  readonly keyObject: KeyObject;
  readonly jwk: JsonWebKey;
  readonly registered: ClientAssertionKey;
}
function holder(alg: JwsAlgorithm): Holder {
  const pair = alg.startsWith('ES')
    ? generateKeyPairSync('ec', { namedCurve: alg === 'ES256' ? 'P-256' : 'P-384' })
    : alg.startsWith('Ed')
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), alg } as unknown as JsonWebKey;
  const parsed = parseClientJwk({ ...jwk }, alg === 'RS256');
  if (!parsed.ok) throw new Error(parsed.fault);
  return { alg, keyObject: pair.privateKey, jwk, registered: parsed.key };
}
const HOLDERS = [...CLIENT_ASSERTION_ALGORITHMS, 'RS256' as const].map(holder);
const ES = HOLDERS[0] as Holder;
const GOOD = { iss: 'payments', sub: 'payments', aud: ISSUER, jti: 'j', exp: NOW + 60, iat: NOW };

function made(by: Holder, claims: object = GOOD, header: object = {}): string {
  const signer = { kid: undefined, alg: by.alg, keyObject: by.keyObject };
  return signJws({ typ: 'client-authentication+jwt', ...header }, JSON.stringify(claims), signer);
}

function part(value: string | object): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** `taken`, or the first thing that is wrong, as a server goes through it. */
function verdict(text: string, keys: readonly ClientAssertionKey[] = [ES.registered], now = NOW): string {
  const assertion = parseClientAssertion(text);
  if (!assertion.ok) return assertion.fault;
  const candidates = candidateKeys(assertion, keys);
  if (candidates.length === 0) return 'no_key';
  if (!candidates.some(({ key }) => isSignedBy(assertion, key))) return 'bad_signature';
  return clientAssertionMismatch(assertion, [ISSUER], now) ?? 'taken';
}

describe('a good assertion', () => {
  it.each(HOLDERS)('of $alg is taken', (by) => {
    expect(verdict(made(by), [by.registered])).toBe('taken');
  });

  it('is never refused, however it is made', () => {
    const claims = fc.record(
      {
        iss: fc.constant('payments'),
        sub: fc.constant('payments'),
        aud: fc.constantFrom<unknown>(ISSUER, [ISSUER]),
        jti: fc.string({ minLength: 1, maxLength: 256, unit: 'grapheme-ascii' }),
        exp: fc.integer({ min: NOW - 29, max: NOW + 3630 }),
        iat: fc.integer({ min: 0, max: NOW + 30 }),
        nbf: fc.integer({ min: 0, max: NOW + 30 }),
        more: fc.anything({ maxDepth: 1 }).filter((value) => !String(JSON.stringify(value)).includes('\\u')),
      },
      { requiredKeys: ['iss', 'sub', 'aud', 'jti', 'exp'] },
    );
    const typ = fc.constantFrom(
      undefined,
      'JWT',
      'jwt',
      'client-authentication+jwt',
      'application/client-authentication+jwt',
      'Client-Authentication+JWT',
    );
    const pointers = (by: Holder): fc.Arbitrary<object> =>
      fc.constantFrom(
        {},
        { kid: by.registered.thumbprint },
        { kid: 'anything' },
        { 'x5t#S256': 'a'.repeat(43) },
        { x5t: 'AAAA', x5c: ['AAAA'], jku: 'https://evil.example', jwk: { kty: 'oct', k: 'AAAA' } },
      );
    const anyone = fc.constantFrom(...HOLDERS).chain((by) => fc.tuple(fc.constant(by), pointers(by)));
    const keys = HOLDERS.map(({ registered }) => registered);
    fc.assert(
      fc.property(
        claims,
        anyone,
        typ,
        (each, [by, header], kind) => verdict(made(by, each, { typ: kind, ...header }), keys) === 'taken',
      ),
      { numRuns: 400 },
    );
  });

  it('by either name of Ed25519 is one algorithm', () => {
    const one = holder('EdDSA');
    const other = { ...one, alg: 'Ed25519' as const };
    expect(verdict(made(other), [one.registered])).toBe('taken');
    const parsed = parseClientJwk({ ...one.jwk, alg: 'Ed25519' }, false);
    expect(parsed.ok && verdict(made(one), [parsed.key])).toBe('taken');
  });
});

describe('an assertion with something wrong is refused', () => {
  const without = (name: string) => Object.fromEntries(Object.entries(GOOD).filter(([key]) => key !== name));
  it.each<[string, string, string]>([
    ['no JWT', 'x', 'malformed'],
    ['empty', '', 'malformed'],
    ['two of them', `${made(ES)}.${made(ES)}`, 'malformed'],
    ['with space before it', ` ${made(ES)}`, 'malformed'],
    ['too long', made(ES, { ...GOOD, more: 'x'.repeat(16_384) }), 'malformed'],
    ['crit', made(ES, GOOD, { crit: ['x'], x: 1 }), 'malformed'],
    ['b64', made(ES, GOOD, { b64: false }), 'malformed'],
    ['a JWE in the shape of a JWS', made(ES, GOOD, { enc: 'A256GCM' }), 'malformed'],
    ['an x5t#S256 that is no text', made(ES, GOOD, { 'x5t#S256': 1 }), 'malformed'],
    ['no sub', made(ES, without('sub')), 'bad_claims'],
    ['another sub', made(ES, { ...GOOD, sub: 'billing' }), 'bad_claims'],
    ['no iss', made(ES, without('iss')), 'bad_claims'],
    ['an iss that is a list', made(ES, { ...GOOD, iss: ['payments'], sub: ['payments'] }), 'bad_claims'],
    ['an empty iss', made(ES, { ...GOOD, iss: '', sub: '' }), 'bad_claims'],
    ['no aud', made(ES, without('aud')), 'bad_claims'],
    ['an aud of null', made(ES, { ...GOOD, aud: null }), 'bad_claims'],
    ['an aud with a number in it', made(ES, { ...GOOD, aud: [ISSUER, 1] }), 'bad_claims'],
    ['no jti', made(ES, without('jti')), 'bad_claims'],
    ['an empty jti', made(ES, { ...GOOD, jti: '' }), 'bad_claims'],
    ['a jti of 257', made(ES, { ...GOOD, jti: 'x'.repeat(257) }), 'bad_claims'],
    ['a jti that is a number', made(ES, { ...GOOD, jti: 1 }), 'bad_claims'],
    ['no exp', made(ES, without('exp')), 'bad_claims'],
    ['an exp in text', made(ES, { ...GOOD, exp: String(NOW + 60) }), 'bad_claims'],
    ['an exp beyond all time', made(ES, { ...GOOD, exp: 1e300 }), 'bad_claims'],
    ['a negative exp', made(ES, { ...GOOD, exp: -1 }), 'bad_claims'],
    ['an iat in text', made(ES, { ...GOOD, iat: 'now' }), 'bad_claims'],
    ['an nbf of null', made(ES, { ...GOOD, nbf: null }), 'bad_claims'],
    ['the audience of another', made(ES, { ...GOOD, aud: 'https://other.example' }), 'wrong_audience'],
    ['two audiences', made(ES, { ...GOOD, aud: [ISSUER, 'https://other.example'] }), 'wrong_audience'],
    ['the same audience twice', made(ES, { ...GOOD, aud: [ISSUER, ISSUER] }), 'wrong_audience'],
    ['no audience in a list', made(ES, { ...GOOD, aud: [] }), 'wrong_audience'],
    ['the token endpoint', made(ES, { ...GOOD, aud: `${ISSUER}/oauth/token` }), 'wrong_audience'],
    ['the issuer with a slash', made(ES, { ...GOOD, aud: `${ISSUER}/` }), 'wrong_audience'],
    ['the issuer in another case', made(ES, { ...GOOD, aud: 'https://AS.example.com' }), 'wrong_audience'],
    ['expired', made(ES, { ...GOOD, exp: NOW - 30 }), 'expired'],
    ['expired five minutes ago', made(ES, { ...GOOD, exp: NOW - 300 }), 'expired'],
    ['valid for ever', made(ES, { ...GOOD, exp: NOW + 3631 }), 'too_long_lived'],
    ['made in the future', made(ES, { ...GOOD, iat: NOW + 31 }), 'issued_in_the_future'],
    ['valid in the future', made(ES, { ...GOOD, nbf: NOW + 61 }), 'issued_in_the_future'],
    ['the key of another', made({ ...holder('ES256'), jwk: ES.jwk }), 'bad_signature'],
    ['another algorithm than any key has', made(holder('ES384')), 'no_key'],
  ])('%s', (_, text, expected) => expect(verdict(text)).toBe(expected));

  it('a payload that two parsers read differently', () => {
    const signer = { kid: undefined, alg: ES.alg, keyObject: ES.keyObject };
    const twice = `{"iss":"billing","iss":"payments",${JSON.stringify(GOOD).slice(1)}`;
    const bom = `\ufeff${JSON.stringify(GOOD)}`;
    for (const payload of [twice, bom, '[]', 'null', '"x"', '{', `${JSON.stringify(GOOD)}x`]) {
      expect(verdict(signJws({}, payload, signer))).toBe('malformed');
    }
    expect(verdict(signJws({}, '{"__proto__":{"iss":"payments","sub":"payments"}}', signer))).toBe(
      'bad_claims',
    );
  });

  it('or taken just as its payload is with a blank in it, which is read in another way', () => {
    const value = fc.oneof(
      fc.constantFrom<unknown>('payments', ISSUER, [ISSUER], '', null, 0, 1.5, -1, 1e15, NOW, 'é', 'a\\b'),
      fc.string({ maxLength: 300 }),
      fc.integer(),
    );
    const names = ['iss', 'sub', 'aud', 'jti', 'exp', 'iat', 'nbf', 'more'];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), fc.boolean(), (changed, keep) => {
        const claims = keep ? { ...GOOD, ...changed } : changed;
        const text = (blank: number): string =>
          `${part({ alg: 'ES256' })}.${part(JSON.stringify(claims, null, blank))}.${part('s')}`;
        const { jws: _plain, ...plain } = { jws: undefined, ...parseClientAssertion(text(0)) };
        const { jws: _spaced, ...spaced } = { jws: undefined, ...parseClientAssertion(text(1)) };
        expect(plain).toEqual(spaced);
      }),
    );
  });

  it('an HMAC under the public key, none, or a PKCS #1 signature by a PSS key', () => {
    const rsa = HOLDERS.find(({ alg }) => alg === 'PS256') as Holder;
    const pem = rsa.registered.key.keyObject.export({ type: 'spki', format: 'pem' }).toString();
    const attempt = (alg: string, sign: (text: string) => string): string => {
      const input = [{ alg }, GOOD]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      return verdict(`${input}.${sign(input)}`, [rsa.registered]);
    };
    for (const secret of [pem, pem.trim(), JSON.stringify(rsa.jwk)]) {
      const hmac = (text: string) => createHmac('sha256', secret).update(text).digest('base64url');
      expect(attempt('HS256', hmac)).toBe('algorithm_not_allowed');
    }
    for (const alg of ['none', 'None', 'NONE', 'es256', 'ES256K', 'ES512', 'RS1', 'PS512', '']) {
      expect(attempt(alg, () => 'AAAA')).toBe('algorithm_not_allowed');
    }
    const pkcs1 = (text: string) => createSign('sha256').update(text).sign(rsa.keyObject, 'base64url');
    expect(attempt('RS256', pkcs1)).toBe('no_key');
    expect(attempt('PS256', pkcs1)).toBe('bad_signature');
  });

  it('a signature of zeros (CVE-2022-21449), in DER, or longer than it has to be', () => {
    const text = made(ES);
    const input = text.slice(0, text.lastIndexOf('.'));
    const good = Buffer.from(text.slice(input.length + 1), 'base64url');
    const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
    const der = createSign('sha256').update(input).sign(ES.keyObject);
    for (const signature of [
      Buffer.alloc(64),
      Buffer.concat([order, order]),
      Buffer.concat([good.subarray(0, 32), Buffer.alloc(32)]),
      Buffer.concat([good, Buffer.alloc(1)]),
      good.subarray(0, 63),
      der,
    ]) {
      expect(verdict(`${input}.${signature.toString('base64url')}`)).toBe('bad_signature');
    }
  });

  it('wherever one character is another', () => {
    const text = made(ES);
    const position = fc.nat({ max: text.length - 1 });
    const char = fc.constantFrom(...'ABCXYZabcxyz0189-_.,= '.split(''));
    fc.assert(
      fc.property(position, char, (at, other) => {
        fc.pre(text[at] !== other);
        return verdict(text.slice(0, at) + other + text.slice(at + 1)) !== 'taken';
      }),
      { numRuns: 1000 },
    );
  });

  it('whatever is written, without throwing', () => {
    fc.assert(fc.property(fc.string(), (text) => verdict(text) === 'malformed'));
    const part = fc.json().map((text) => Buffer.from(text).toString('base64url'));
    fc.assert(fc.property(part, part, (header, payload) => verdict(`${header}.${payload}.AAAA`) !== 'taken'));
  });
});

describe('kinds of JWT', () => {
  it.each([
    'at+jwt',
    'application/at+jwt',
    'dpop+jwt',
    'token-introspection+jwt',
    'secevent+jwt',
    'statuslist+jwt',
    'txntoken+jwt',
    'wit+jwt',
    'logout+jwt',
    'cutoffs+jwt',
    'oauth-authz-req+jwt',
    'client-attestation+jwt',
    'x-client-authentication+jwt',
    'application/jwt',
    '',
  ])('%j is no assertion, though all else is right', (typ) =>
    expect(verdict(made(ES, GOOD, { typ }))).toBe('wrong_typ'),
  );

  it('an assertion is no DPoP proof', () => {
    const claims = { ...GOOD, htm: 'POST', htu: `${ISSUER}/oauth/token` };
    const expected = { method: 'POST', uris: [`${ISSUER}/oauth/token`], now: NOW };
    for (const typ of ['client-authentication+jwt', 'JWT', undefined]) {
      const result = checkDpopProof(made(ES, claims, { typ, jwk: ES.jwk }), expected);
      expect(result).toEqual({ ok: false, fault: 'wrong_typ' });
    }
  });
});

describe('the key that is meant', () => {
  const named = (kid: string | undefined, x5t?: string): ClientAssertionKey => ({
    ...ES.registered,
    key: { ...ES.registered.key, kid },
    x5tS256: x5t,
  });
  const X = 'x'.repeat(43);
  it.each<[string, object, ClientAssertionKey, boolean]>([
    ['nothing points', {}, named('a', X), true],
    ['kid is its kid', { kid: 'a' }, named('a'), true],
    ['kid is its thumbprint', { kid: ES.registered.thumbprint }, named('a'), true],
    ['kid is of another', { kid: 'b' }, named('a'), false],
    ['it has no kid to compare', { kid: 'b' }, named(undefined), true],
    ['x5t#S256 is its own', { 'x5t#S256': X }, named('a', X), true],
    ['x5t#S256 is of another', { 'x5t#S256': 'y'.repeat(43) }, named('a', X), false],
    ['x5t#S256 fits and kid does not', { kid: 'b', 'x5t#S256': X }, named('a', X), false],
  ])('%s', (_, header, key, expected) => {
    const kid = (header as { kid?: string }).kid;
    const signer = { kid, alg: ES.alg, keyObject: ES.keyObject };
    const text = signJws({ ...header }, JSON.stringify(GOOD), signer);
    expect(verdict(text, [key])).toBe(expected ? 'taken' : 'no_key');
  });

  it('is the only one tried where one is named', () => {
    const assertion = parseClientAssertion(made(ES, GOOD, { 'x5t#S256': X }));
    const [right, silent] = [named('a', X), named('b')];
    expect(assertion.ok && candidateKeys(assertion, [silent, right])).toEqual([right]);
  });
});
