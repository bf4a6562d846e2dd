// Known answers: what the RFCs print in their examples comes out here, errata apart.
import { createPrivateKey, type JsonWebKey as NodeJwk } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { vectorsOf } from '../test/vectors.ts';
import { accessTokenHash, checkDpopProof } from './dpop-proof-check.ts';
import { type JsonWebKey } from './jwk.ts';
import { jwkThumbprint, parsePublicJwk } from './verification-key.ts';
import { parseCompactJws } from './jws.ts';
import { signJws, verifyJws } from './jws-signature.ts';
import { resourceMetadataUrl } from './resource-metadata.ts';
import { parseBasicCredentials } from './basic-credentials.ts';
import { type Issuer, wellKnownUrl } from './server-metadata.ts';

function verifies(token: string, jwk: object): boolean {
  const key = parsePublicJwk(jwk);
  const jws = parseCompactJws(token);
  return key.ok && jws.ok && verifyJws(jws, key.key);
}

describe('RFC 7515', () => {
  const payload =
    'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';

  it('A.1: HMAC is refused, with its key as with any', () => {
    const token = `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`;
    const k = 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow';
    expect(parseCompactJws(token)).toMatchObject({ ok: true, header: { typ: 'JWT', alg: 'HS256' } });
    expect(verifies(token, { kty: 'oct', k })).toBe(false);
  });

  it('A.2: RS256', () => {
    const jwk = {
      kty: 'RSA',
      alg: 'RS256',
      n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
      e: 'AQAB',
    };
    const signature =
      'cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw';
    expect(verifies(`eyJhbGciOiJSUzI1NiJ9.${payload}.${signature}`, jwk)).toBe(true);
    expect(verifies(`eyJhbGciOiJSUzI1NiJ9.${payload}.${signature}`, { ...jwk, alg: 'PS256' })).toBe(false);
  });

  it('A.5: an unsecured JWS is none here', () => {
    expect(parseCompactJws(`eyJhbGciOiJub25lIn0.${payload}.`)).toEqual({ ok: false, fault: 'not_compact' });
  });

  it('appendix E: an unknown critical extension is refused', () => {
    const token =
      'eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9leGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUNCn0.RkFJTA.AAAA';
    expect(parseCompactJws(token)).toEqual({ ok: false, fault: 'crit_not_supported' });
  });
});

describe('RFC 7638', () => {
  it('section 3.1: the thumbprint of an RSA key, whatever else it has', () => {
    const jwk = {
      kty: 'RSA',
      n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
      e: 'AQAB',
      alg: 'RS256',
      kid: '2011-04-29',
    } as const;
    expect(jwkThumbprint(jwk)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  });
});

describe('RFC 9449', () => {
  // section 4.2, figure 2
  const PROOF =
    'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg';
  const wanted = { method: 'POST', uris: ['https://server.example.com/token'], now: 1_562_262_616 };

  it('sections 4.2 and 6.1: the proof is taken, and its key has the printed thumbprint', () => {
    expect(checkDpopProof(PROOF, wanted)).toEqual({
      ok: true,
      proof: {
        jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I',
        jti: '-BwC3ESc6acc2lTc',
        iat: 1_562_262_616,
        nonce: undefined,
      },
    });
  });

  it('section 4.3: not for another method, address or time', () => {
    for (const change of [
      { method: 'GET' },
      { uris: ['https://server.example.com/x'] },
      { now: 1_562_262_900 },
    ])
      expect(checkDpopProof(PROOF, { ...wanted, ...change }).ok).toBe(false);
  });

  it('section 7.1: the hash of the access token', () => {
    expect(accessTokenHash('Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU')).toBe(
      'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo',
    );
  });
});

describe('addresses and credentials', () => {
  it('RFC 6749 section 2.3.1: id and secret in a Basic header', () => {
    expect(parseBasicCredentials('Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW')).toMatchObject({
      ok: true,
      id: 's6BhdRkqt3',
      secret: 'gX1fBat3bV',
    });
  });

  it('RFC 8414 sections 3.1 and 5: the path of the issuer comes after the suffix, or before it', () => {
    const issuer = 'https://example.com/issuer1' as Issuer;
    expect(wellKnownUrl(issuer, 'oauth-authorization-server')).toBe(
      'https://example.com/.well-known/oauth-authorization-server/issuer1',
    );
    expect(wellKnownUrl(issuer, 'openid-configuration')).toBe(
      'https://example.com/issuer1/.well-known/openid-configuration',
    );
  });

  it('RFC 9728 section 3.1: the address of the metadata of a resource', () => {
    expect(resourceMetadataUrl('https://resource.example.com/resource1')).toBe(
      'https://resource.example.com/.well-known/oauth-protected-resource/resource1',
    );
  });
});

const cookbook = vectorsOf('jose-cookbook');

describe.skipIf(!cookbook.there)(cookbook.title, () => {
  it.each([
    ['RFC 7520 section 4.1: RS256', 'jws/4_1.rsa_v15_signature.json'],
    ['RFC 8037 appendix A.4: EdDSA', 'curve25519/jws.json'],
  ])('%s: verifies, and the same comes out', (_what, file) => {
    const { input, output, signing } = cookbook.read(file);
    const { kid, alg } = signing.protected;
    const keyObject = createPrivateKey({ key: input.key as NodeJwk, format: 'jwk' });
    expect(verifies(output.compact, { ...publicPart(input.key), alg })).toBe(true);
    const [header = '', payload = ''] = output.compact.split('.');
    const made = signJws({}, Buffer.from(payload, 'base64url'), { kid, alg, keyObject });
    // the order of a header's members is nobody's but its maker's
    expect(parseCompactJws(made)).toMatchObject({
      header: JSON.parse(Buffer.from(header, 'base64url').toString()),
    });
    expect(made.split('.')[1]).toBe(payload);
  });

  it.each([
    ['PS384', 'jws/4_2.rsa-pss_signature.json'],
    ['ES512', 'jws/4_3.ecdsa_signature.json'],
    ['HS256', 'jws/4_4.hmac-sha2_integrity_protection.json'],
    ['HS256 with b64=false (RFC 7797)', 'rfc7797/hmac-sha2_b64_false.json'],
  ])('%s is refused by design', (_what, file) => {
    const { input, output } = cookbook.read(file);
    expect(verifies(String(output.compact), publicPart(input.key))).toBe(false);
  });

  function publicPart(key: Record<string, string>): JsonWebKey {
    const members = ['kty', 'crv', 'x', 'y', 'n', 'e'].filter((name) => key[name] !== undefined);
    return Object.fromEntries(members.map((name) => [name, key[name]])) as unknown as JsonWebKey;
  }
});
