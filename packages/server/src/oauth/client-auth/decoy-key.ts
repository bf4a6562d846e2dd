// Keys that are nobody's: an assertion (RFC 7523 §3) of a client that does not exist costs a verification all the same.
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { JWS_ALGORITHMS, type JwsAlgorithm, type VerificationKey } from '@countersign/protocol';

const RSA_BYTES = 256;
const made = new Map<JwsAlgorithm, VerificationKey>();

/** A public key for this algorithm, made at first use. */
export function decoyKey(alg: JwsAlgorithm): VerificationKey {
  let key = made.get(alg);
  if (key === undefined) {
    key = { kid: undefined, alg, keyObject: keyFor(alg) };
    made.set(alg, key);
  }
  return key;
}

function keyFor(alg: JwsAlgorithm): KeyObject {
  const row = JWS_ALGORITHMS[alg];
  if (row.kty === 'RSA') return rsaKey();
  if (row.kty === 'OKP') return generateKeyPairSync('ed25519').publicKey;
  return generateKeyPairSync('ec', { namedCurve: row.crv }).publicKey;
}

/** Nobody needs its factors, so it need not have any: looking for primes would hold up the event loop. */
function rsaKey(): KeyObject {
  const modulus = randomBytes(RSA_BYTES);
  modulus[0] = (modulus[0] as number) | 0x80;
  modulus[RSA_BYTES - 1] = (modulus[RSA_BYTES - 1] as number) | 1;
  return createPublicKey({
    key: { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' },
    format: 'jwk',
  });
}
