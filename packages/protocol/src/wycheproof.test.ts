import { createPrivateKey, createPublicKey, type JsonWebKeyInput } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { vectorsOf } from '../test/vectors.ts';
import { inRange } from './ecdsa-range.ts';
import { derToP1363, p1363ToDer } from './ecdsa-signature.ts';
import { parsePublicJwk } from './verification-key.ts';
import { parseJwkSet } from './verification-key.ts';
import { type ParsedJws, parseCompactJws } from './jws.ts';
import { verifyJws } from './jws-signature.ts';
import { JWS_ALGORITHMS } from './jws-algorithm.ts';

const { there, title, read } = vectorsOf('wycheproof');

interface JwsTest {
  tcId: number;
  comment: string;
  jws: string;
  /** In the place of `jws`: encrypted, which is refused by design. */
  jwe?: unknown;
  result: string;
}

/** Errata of the file: labelled valid, but 372 and 373 hold a "?", and 346–351 a JWK whose alg is another one's. */
const MUST_REFUSE = new Set([346, 347, 350, 351, 372, 373]);
/** Errata of the file: labelled invalid, but byte for byte the valid 357. */
const MUST_ACCEPT = new Set([367, 370]);

/** The signing input of a JWS is text; any bytes do for the check, as latin1. */
function raw(alg: string, test: { msg: string; sig: string }): ParsedJws {
  return {
    ok: true,
    header: { alg },
    headerPart: '',
    payload: new Uint8Array(),
    signingInput: Buffer.from(test.msg, 'hex').toString('latin1'),
    signature: Buffer.from(test.sig, 'hex'),
  };
}

describe.skipIf(!there)(title, () => {
  it('accept no JWS that is not valid and refuse none that is', () => {
    const falseAccepts: string[] = [];
    const falseRefusals: string[] = [];
    const byDesign = new Set<string>();
    let judged = 0;
    for (const group of read('json_web_signature_test.json').testGroups) {
      const jwk = group.public ?? group.private;
      const ours = jwk.alg === undefined || jwk.alg in JWS_ALGORITHMS;
      for (const test of group.tests as JwsTest[]) {
        judged++;
        const key = parsePublicJwk(jwk);
        const jws = parseCompactJws(test.jws);
        const accepted = key.ok && jws.ok && verifyJws(jws, key.key);
        const valid = (test.result === 'valid' && !MUST_REFUSE.has(test.tcId)) || MUST_ACCEPT.has(test.tcId);
        if (accepted && !valid) falseAccepts.push(`${test.tcId} ${test.comment}`);
        if (accepted || !valid) continue;
        // Symmetric keys and algorithms outside the table are refused by design.
        if (ours && jwk.kty !== 'oct') falseRefusals.push(`${test.tcId} ${test.comment}`);
        else byDesign.add(jwk.alg);
      }
    }
    expect(judged).toBe(401);
    expect(falseAccepts).toEqual([]);
    expect(falseRefusals).toEqual([]);
    expect([...byDesign].sort()).toEqual(['HS256', 'PS384', 'PS512', 'RS512']);
  });

  /** As one who verifies does: the keys of the set, of them the one that is named, by its own algorithm. */
  function acceptedBySet(keys: unknown[], jwt: unknown): boolean {
    const set = parseJwkSet({ keys });
    // some are in the JSON serialization, which is none of JWTs (RFC 7519 §1)
    const jws = parseCompactJws(typeof jwt === 'string' ? jwt : JSON.stringify(jwt));
    if (!set.ok || !jws.ok) return false;
    const { kid } = jws.header;
    return set.keys.some((key) => (kid === undefined || key.kid === kid) && verifyJws(jws, key));
  }

  it.each([
    ['json_web_key_test.json', 26],
    ['json_web_crypto_test.json', 83],
  ])('accept no key and no set that must be refused: %s', (file, count) => {
    const falseAccepts: string[] = [];
    const falseRefusals: string[] = [];
    let judged = 0;
    for (const group of read(file).testGroups) {
      const given = group.public ?? group.private;
      const keys: { kty: string; alg?: string }[] = given.keys ?? [given];
      // Symmetric and private keys, and algorithms outside the table, are refused by design.
      const ours = keys.some(
        (key) => key.kty !== 'oct' && (key.alg === undefined || key.alg in JWS_ALGORITHMS),
      );
      for (const test of group.tests as JwsTest[]) {
        judged++;
        const accepted = acceptedBySet(keys, test.jws ?? test.jwe);
        if (accepted && test.result !== 'valid') falseAccepts.push(`${test.tcId} ${test.comment}`);
        if (!accepted && test.result === 'valid' && ours && test.jwe === undefined)
          falseRefusals.push(`${test.tcId} ${test.comment}`);
      }
    }
    expect(judged).toBe(count);
    expect(falseAccepts).toEqual([]);
    expect(falseRefusals).toEqual([]);
  });

  it.each([
    ['ES256', 'ecdsa_secp256r1_sha256_p1363_test.json', 262],
    ['ES384', 'ecdsa_secp384r1_sha384_p1363_test.json', 280],
  ] as const)('agree about every raw %s signature', (alg, file, count) => {
    const wrong: number[] = [];
    let judged = 0;
    const row = JWS_ALGORITHMS[alg];
    if (row.kty !== 'EC') throw new Error('row');
    for (const group of read(file).testGroups) {
      const keyObject = createPublicKey({
        key: Buffer.from(group.publicKeyDer, 'hex'),
        format: 'der',
        type: 'spki',
      });
      for (const test of group.tests) {
        judged++;
        const accepted = verifyJws(raw(alg, test), { kid: undefined, alg, keyObject });
        if (accepted !== (test.result === 'valid')) wrong.push(test.tcId);
        const signature = Buffer.from(test.sig, 'hex');
        if (signature.length === row.width * 2 && inRange(signature, row.order)) {
          expect(derToP1363(p1363ToDer(signature), row.width)).toEqual(signature);
        }
      }
    }
    expect(judged).toBe(count);
    expect(wrong).toEqual([]);
  });

  it.each([
    ['Ed25519', 'ed25519_test.json', 151],
    ['EdDSA', 'ed25519_test.json', 151],
    ['RS256', 'rsa_signature_2048_sha256_test.json', 259],
    ['PS256', 'rsa_pss_2048_sha256_mgf1_32_test.json', 108],
  ] as const)('agree about every raw %s signature', (alg, file, count) => {
    const wrong: number[] = [];
    let judged = 0;
    for (const group of read(file).testGroups) {
      const der = group.publicKeyDer ?? group.publicKeyAsn;
      const keyObject = createPublicKey({ key: Buffer.from(der, 'hex'), format: 'der', type: 'spki' });
      for (const test of group.tests) {
        judged++;
        const accepted = verifyJws(raw(alg, test), { kid: undefined, alg, keyObject });
        if (test.result !== 'acceptable' && accepted !== (test.result === 'valid')) wrong.push(test.tcId);
      }
    }
    expect(judged).toBe(count);
    expect(wrong).toEqual([]);
  });
});

it('a private key never becomes a verification key', () => {
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
  };
  expect(createPrivateKey({ key: jwk, format: 'jwk' } as JsonWebKeyInput).type).toBe('private');
  expect(parsePublicJwk(jwk)).toEqual({ ok: false, fault: 'private_key_material' });
});
