import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import * as jose from 'jose';
import { describe, expect, it } from 'vitest';
import { encodeBase64url } from './base64url.ts';
import { derToP1363, p1363ToDer } from './ecdsa-signature.ts';
import { jwkThumbprint, parsePublicJwk, toPublicJwk, type VerificationKey } from './verification-key.ts';
import { type JwsFault, parseCompactJws } from './jws.ts';
import { type SigningKey, signEs256, signJws, verifyJws } from './jws-signature.ts';
import { isJwsAlgorithm, JWS_ALGORITHMS, type JwsAlgorithm } from './jws-algorithm.ts';

const ALGS = Object.keys(JWS_ALGORITHMS) as JwsAlgorithm[];
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pairs = new Map<
  JwsAlgorithm,
  { signing: SigningKey; verification: VerificationKey; publicKey: KeyObject }
>();
for (const alg of ALGS) {
  const row = JWS_ALGORITHMS[alg];
  const pair =
    row.kty === 'RSA'
      ? rsa
      : row.kty === 'EC'
        ? generateKeyPairSync('ec', { namedCurve: row.crv })
        : generateKeyPairSync('ed25519');
  const parsed = parsePublicJwk(toPublicJwk(pair.publicKey, `kid-${alg}`, alg));
  if (!parsed.ok) throw new Error(parsed.fault);
  const signing = { kid: `kid-${alg}`, alg, keyObject: pair.privateKey };
  pairs.set(alg, { signing, verification: parsed.key, publicKey: pair.publicKey });
}
const of = (alg: JwsAlgorithm) => pairs.get(alg)!;
const parsed = (token: string) => {
  const jws = parseCompactJws(token);
  if (!jws.ok) throw new Error(jws.fault);
  return jws;
};

describe.each(ALGS)('%s', (alg) => {
  it('is signed here and verified by jose', async () => {
    const token = signJws({ typ: 'at+jwt' }, '{"a":1}', of(alg).signing);
    const result = await jose.compactVerify(token, of(alg).publicKey, { algorithms: [alg] });
    expect(result.protectedHeader).toEqual({ typ: 'at+jwt', alg, kid: `kid-${alg}` });
    expect(Buffer.from(result.payload).toString()).toBe('{"a":1}');
  });

  it('is signed by jose and verified here', async () => {
    const token = await new jose.CompactSign(Buffer.from('{"a":1}'))
      .setProtectedHeader({ alg, kid: 'x' })
      .sign(of(alg).signing.keyObject);
    expect(verifyJws(parsed(token), of(alg).verification)).toBe(true);
  });

  it('fails after any single change, with another key, and under another name', () => {
    const token = signJws({}, 'payload', of(alg).signing);
    expect(verifyJws(parsed(token), of(alg).verification)).toBe(true);
    for (let i = 0; i < token.length; i += 3) {
      if (token[i] === '.') continue;
      const changed = parseCompactJws(
        `${token.slice(0, i)}${token[i] === 'A' ? 'B' : 'A'}${token.slice(i + 1)}`,
      );
      expect(changed.ok && verifyJws(changed, of(alg).verification)).toBe(false);
    }
    for (const other of ALGS) {
      if (other === alg) continue;
      expect(verifyJws(parsed(token), of(other).verification)).toBe(false);
      expect(verifyJws(parsed(token), { ...of(alg).verification, alg: other })).toBe(false);
      expect(verifyJws({ ...parsed(token), header: { alg: other } }, of(other).verification)).toBe(false);
    }
  });

  it('does not throw on signatures of any bytes (property)', () => {
    const jws = parsed(signJws({}, 'payload', of(alg).signing));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (signature) => {
        expect(verifyJws({ ...jws, signature }, of(alg).verification)).toBe(false);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a signature is checked over its own bytes', () => {
  const [short, long] = ['a', 'x'.repeat(15_000)].map((text) => signJws({}, text, of('ES256').signing));

  it.each(['ES256', 'RS256', 'EdDSA'] as const)('whatever was read since: %s', (alg) => {
    const { verification: key, signing } = of(alg);
    const first = parsed(signJws({}, 'first', signing));
    const other = parsed(signJws({}, 'other', signing));
    expect(verifyJws(first, key)).toBe(true);
    expect(verifyJws(other, key)).toBe(true);
    parseCompactJws('no.token.');
    parseCompactJws('\u00e4\u00e4\u00e4.\u00e4.\u00e4');
    expect(verifyJws(first, key)).toBe(true);
    expect(verifyJws({ ...first, signingInput: other.signingInput }, key)).toBe(false);
    expect(verifyJws({ ...first, signature: other.signature }, key)).toBe(false);
  });

  it('of any length', () => {
    const { verification: key } = of('ES256');
    const read = [short, long, short].map((token) => parseCompactJws(token as string, 30_000));
    for (const jws of [...read, ...read.reverse()]) expect(jws.ok && verifyJws(jws, key)).toBe(true);
  });
});

it('signEs256 gives 64 bytes that jose verifies, a hundred times', async () => {
  const input = `${encodeBase64url('{"alg":"ES256"}')}.${encodeBase64url('{}')}`;
  for (let i = 0; i < 100; i++) {
    const signature = signEs256(input, of('ES256').signing.keyObject);
    expect(signature).toHaveLength(86);
    await jose.compactVerify(`${input}.${signature}`, of('ES256').publicKey);
  }
});

it('the ES256 example of RFC 7515 A.3 verifies', () => {
  const key = parsePublicJwk({
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  });
  const token =
    'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q';
  expect(key.ok && verifyJws(parsed(token), key.key)).toBe(true);
});

it('the Ed25519 example of RFC 8037 A.4 verifies, and its thumbprint is that of A.3', () => {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const;
  const key = parsePublicJwk(jwk);
  const token =
    'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg';
  expect(key.ok && verifyJws(parsed(token), key.key)).toBe(true);
  expect(jwkThumbprint(jwk)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
});

it('thumbprints agree with jose', async () => {
  for (const alg of ALGS) {
    const jwk = toPublicJwk(of(alg).publicKey, 'k', alg);
    expect(jwkThumbprint(jwk)).toBe(await jose.calculateJwkThumbprint(jwk as jose.JWK));
  }
});

describe('what is not a compact JWS', () => {
  const good = signJws({}, '{}', pairs.get('ES256')!.signing);
  const [header, payload, signature] = good.split('.') as [string, string, string];
  const withHeader = (text: string | Uint8Array) =>
    `${Buffer.from(text as string).toString('base64url')}.${payload}.${signature}`;

  it.each<[string, string, JwsFault]>([
    ['nothing', '', 'not_compact'],
    ['dots alone', '..', 'not_compact'],
    ['no signature', `${header}.${payload}.`, 'not_compact'],
    ['two parts', `${header}.${payload}`, 'not_compact'],
    ['four parts', `${good}.a`, 'not_compact'],
    ['five parts', 'a.b.c.d.e', 'not_compact'],
    ['a space at the end', `${good} `, 'bad_base64url'],
    ['a line feed inside', `${header}.\n${payload}.${signature}`, 'bad_base64url'],
    ['padding', `${good}==`, 'bad_base64url'],
    ['standard base64', `${header}.${payload}.${'+'.repeat(86)}`, 'bad_base64url'],
    ['a full-width dot', good.replace('.', '．'), 'not_compact'],
    ['more than 16 kB', `${header}.${'A'.repeat(16_384)}.${signature}`, 'too_long'],
    ['a header that is no JSON', withHeader('x'), 'not_json'],
    ['a header with a byte order mark', withHeader('\ufeff{"alg":"ES256"}'), 'not_json'],
    ['a header that is not UTF-8', withHeader(Buffer.from('{"alg":"\xff"}', 'latin1')), 'bad_utf8'],
    ['a header that is a list', withHeader('["ES256"]'), 'not_an_object'],
    ['a header that is null', withHeader('null'), 'not_an_object'],
    ['a repeated header member', withHeader('{"alg":"none","alg":"ES256"}'), 'duplicate_member'],
    ['no alg', withHeader('{}'), 'bad_header_member'],
    ['an inherited alg', withHeader('{"__proto__":{"alg":"ES256"}}'), 'bad_header_member'],
    ['an alg that is a list', withHeader('{"alg":["ES256"]}'), 'bad_header_member'],
    ['a kid that is a number', withHeader('{"alg":"ES256","kid":1}'), 'bad_header_member'],
    ['crit', withHeader('{"alg":"ES256","crit":["exp"]}'), 'crit_not_supported'],
    ['empty crit', withHeader('{"alg":"ES256","crit":[]}'), 'crit_not_supported'],
    ['b64', withHeader('{"alg":"ES256","b64":false}'), 'b64_not_supported'],
    ['enc', withHeader('{"alg":"ES256","enc":"A128GCM"}'), 'encrypted'],
    ['deep nesting', withHeader(`{"alg":"ES256","a":${'['.repeat(8)}${']'.repeat(8)}}`), 'too_deep'],
  ])('%s', (_, token, fault) => {
    expect(parseCompactJws(token)).toEqual({ ok: false, fault });
  });

  it('none, HMAC and unknown names never verify', () => {
    for (const alg of ['none', 'None', 'HS256', 'es256', 'ES256K', '__proto__', 'toString', '']) {
      expect(isJwsAlgorithm(alg)).toBe(false);
      expect(verifyJws(parsed(withHeader(JSON.stringify({ alg }))), pairs.get('ES256')!.verification)).toBe(
        false,
      );
    }
  });

  it('never throws (property)', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseCompactJws(text)));
    fc.assert(fc.property(fc.array(fc.base64String()), (parts) => void parseCompactJws(parts.join('.'))));
  });
});

describe('ECDSA signatures', () => {
  it.each([32, 48])('go to DER and back unchanged at %i bytes (property)', (width) => {
    const number = fc
      .uint8Array({ minLength: 1, maxLength: width })
      .filter((bytes) => bytes.some((byte) => byte !== 0))
      .map((bytes) => Buffer.concat([Buffer.alloc(width - bytes.length), bytes]));
    fc.assert(
      fc.property(number, number, (r, s) => {
        const joined = Buffer.concat([r, s]);
        expect(derToP1363(p1363ToDer(joined), width)).toEqual(joined);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['no sequence', '3106020101020101'],
    ['a wrong total', '3007020101020101'],
    ['a trailing byte', '300602010102010100'],
    ['a negative number', '3006020181020101'],
    ['an overlong number', '300702020001020101'],
    ['a zero', '3006020100020101'],
    ['an empty number', '30050200020101'],
    ['one number', '3003020101'],
    ['a length that lies', '3006020501020101'],
    ['a long form length', '308106020101020101'],
  ])('are not read from %s', (_, hex) => {
    expect(derToP1363(Buffer.from(hex, 'hex'), 32)).toBeUndefined();
  });

  it('are refused with r or s zero or at the order of the group', () => {
    const jws = parsed(signJws({}, 'x', pairs.get('ES256')!.signing));
    const row = JWS_ALGORITHMS.ES256;
    if (row.kty !== 'EC') throw new Error('row');
    const good = Buffer.from(jws.signature);
    for (const bad of [Buffer.alloc(32), row.order, Buffer.alloc(32, 0xff)]) {
      for (const signature of [
        Buffer.concat([bad, good.subarray(32)]),
        Buffer.concat([good.subarray(0, 32), bad]),
      ]) {
        expect(verifyJws({ ...jws, signature }, pairs.get('ES256')!.verification)).toBe(false);
      }
    }
  });
});
