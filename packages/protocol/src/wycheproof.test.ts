import { createPrivateKey, createPublicKey, type JsonWebKeyInput } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { derToP1363, inRange, p1363ToDer } from './ecdsa-signature.ts';
import { parsePublicJwk } from './jwk.ts';
import { parseCompactJws, verifyJws } from './jws.ts';
import { JWS_ALGORITHMS } from './jws-algorithm.ts';

// Vectors of other people: see the README beside them. Found through COUNTERSIGN_VECTORS, else beside the project.
const folder = join(
  process.env['COUNTERSIGN_VECTORS'] ?? fileURLToPath(new URL('../../../../shared/vectors', import.meta.url)),
  'wycheproof',
);
const there = existsSync(folder);
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const title = there ? 'Wycheproof vectors' : 'Wycheproof vectors (absent: set COUNTERSIGN_VECTORS)';

interface JwsTest {
  tcId: number;
  comment: string;
  jws: string;
  result: string;
}

/** Errata of the file: labelled valid, but 372 and 373 hold a "?", and 346–351 a JWK whose alg is another one's. */
const MUST_REFUSE = new Set([346, 347, 350, 351, 372, 373]);
/** Errata of the file: labelled invalid, but byte for byte the valid 357. */
const MUST_ACCEPT = new Set([367, 370]);

describe.skipIf(!there)(title, () => {
  it('accept no JWS that is not valid and refuse none that is', () => {
    const falseAccepts: string[] = [];
    const falseRefusals: string[] = [];
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
        // Symmetric keys and algorithms outside the table are refused by design.
        if (!accepted && valid && ours && jwk.kty !== 'oct')
          falseRefusals.push(`${test.tcId} ${test.comment}`);
      }
    }
    expect(judged).toBe(401);
    expect(falseAccepts).toEqual([]);
    expect(falseRefusals).toEqual([]);
  });

  it('accept no JWK set that must be refused', () => {
    const falseAccepts: string[] = [];
    for (const group of read('json_web_key_test.json').testGroups) {
      const keys: unknown[] = (group.public ?? group.private).keys;
      for (const test of group.tests as JwsTest[]) {
        const jws = parseCompactJws(test.jws);
        const accepted = keys.some((jwk) => {
          const key = parsePublicJwk(jwk);
          return key.ok && jws.ok && verifyJws(jws, key.key);
        });
        if (accepted && test.result !== 'valid') falseAccepts.push(`${test.tcId} ${test.comment}`);
      }
    }
    expect(falseAccepts).toEqual([]);
  });

  it.each([
    ['ES256', 'ecdsa_secp256r1_sha256_p1363_test.json'],
    ['ES384', 'ecdsa_secp384r1_sha384_p1363_test.json'],
  ] as const)('agree about every raw %s signature', (alg, file) => {
    const wrong: number[] = [];
    const row = JWS_ALGORITHMS[alg];
    if (row.kty !== 'EC') throw new Error('row');
    for (const group of read(file).testGroups) {
      const keyObject = createPublicKey({
        key: Buffer.from(group.publicKeyDer, 'hex'),
        format: 'der',
        type: 'spki',
      });
      for (const test of group.tests) {
        // The signing input of a JWS is text; any bytes do for the check, as latin1.
        const accepted = verifyJws(
          {
            ok: true,
            header: { alg },
            headerPart: '',
            payload: new Uint8Array(),
            signingInput: Buffer.from(test.msg, 'hex').toString('latin1'),
            signature: Buffer.from(test.sig, 'hex'),
          },
          { kid: undefined, alg, keyObject },
        );
        if (accepted !== (test.result === 'valid')) wrong.push(test.tcId);
        const signature = Buffer.from(test.sig, 'hex');
        if (signature.length === row.width * 2 && inRange(signature, row.order)) {
          expect(derToP1363(p1363ToDer(signature), row.width)).toEqual(signature);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each([
    ['Ed25519', 'ed25519_test.json'],
    ['RS256', 'rsa_signature_2048_sha256_test.json'],
    ['PS256', 'rsa_pss_2048_sha256_mgf1_32_test.json'],
  ] as const)('agree about every raw %s signature', (alg, file) => {
    const wrong: number[] = [];
    for (const group of read(file).testGroups) {
      const der = group.publicKeyDer ?? group.publicKeyAsn;
      const keyObject = createPublicKey({ key: Buffer.from(der, 'hex'), format: 'der', type: 'spki' });
      for (const test of group.tests) {
        const jws = {
          ok: true,
          header: { alg },
          headerPart: '',
          payload: new Uint8Array(),
          signingInput: Buffer.from(test.msg, 'hex').toString('latin1'),
          signature: Buffer.from(test.sig, 'hex'),
        } as const;
        const accepted = verifyJws(jws, { kid: undefined, alg, keyObject });
        if (test.result !== 'acceptable' && accepted !== (test.result === 'valid')) wrong.push(test.tcId);
      }
    }
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
