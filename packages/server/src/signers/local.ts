import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { promisify } from 'node:util';
import { JWS_ALGORITHMS, jwsSignature, signEs256 } from '@countersign/protocol';
import type { Seal } from '../keys/seal.ts';
import { KeyNotPrepared, type Signer } from '../keys/signer.ts';
import { type KeyAlgorithm, OPAQUE_TOKEN_ALGORITHM } from '../storage/signing-keys.ts';
import type { SigningAlgorithm } from '../storage/resource-servers.ts';

/** Keys on this machine's processor, sealed under the master key in the database. */
export function localSigner(seal: Seal): Signer {
  const stock = createRsaStock();
  return {
    async generate(alg, kid) {
      if (alg === OPAQUE_TOKEN_ALGORITHM) {
        const secret = randomBytes(SECRET_BYTES);
        const sealedPrivateKey = seal.seal(secret, contextOf(alg, kid));
        secret.fill(0);
        return { publicJwk: {}, sealedPrivateKey };
      }
      const pair = generatePair(alg, stock);
      const der = pair.privateKey.export({ format: 'der', type: 'pkcs8' });
      const sealedPrivateKey = seal.seal(der, contextOf(alg, kid));
      der.fill(0);
      return { publicJwk: publicMembers(pair.publicKey), sealedPrivateKey };
    },

    open(alg, kid, sealedPrivateKey) {
      const der = Buffer.from(seal.open(sealedPrivateKey, contextOf(alg, kid)));
      if (alg === OPAQUE_TOKEN_ALGORITHM) {
        const secret = createSecretKey(der);
        der.fill(0);
        const mac = (input: string | Uint8Array): Buffer =>
          createHmac('sha256', secret).update(input).digest();
        return { sign: (input) => mac(input).toString('base64url'), signBytes: mac };
      }
      const key = privateKeyOf(der);
      const signBytes = (bytes: Uint8Array): Uint8Array => signDer(alg, bytes, key);
      if (alg === 'ES256') return { sign: (signingInput) => signEs256(signingInput, key), signBytes };
      const signing = { kid, alg, keyObject: key };
      return { sign: (signingInput) => jwsSignature(signingInput, signing), signBytes };
    },

    reveal(alg, kid, sealedPrivateKey) {
      return privateKeyOf(Buffer.from(seal.open(sealedPrivateKey, contextOf(alg, kid))));
    },

    publicKey: (publicJwk): KeyObject => createPublicKey({ key: { ...publicJwk }, format: 'jwk' }),
  };
}

/** Wipes what it was read from. */
function privateKeyOf(der: Buffer): KeyObject {
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  return key;
}

/** Keys are made inside a transaction, which must wait for nothing but its stores: at once (0.1 to 0.5 ms), or ready made. */
function generatePair(alg: SigningAlgorithm, stock: RsaStock): KeyPair {
  const row = JWS_ALGORITHMS[alg];
  if (row.kty === 'RSA') return stock.take();
  return row.kty === 'EC'
    ? generateKeyPairSync('ec', { namedCurve: row.crv })
    : generateKeyPairSync('ed25519');
}

/** RFC 5758 §3.2, RFC 8410 §6: only keys that certificates are signed with here. */
function signDer(alg: SigningAlgorithm, bytes: Uint8Array, key: KeyObject): Uint8Array {
  const row = JWS_ALGORITHMS[alg];
  if (row.kty === 'RSA') throw new TypeError(`certificates are not signed with ${alg}`);
  return sign(row.kty === 'EC' ? row.hash : null, bytes, key);
}

/** RFC 7518 §6.2.1 and §6.3.1, RFC 8037 §2. Named, so that nothing private could come along. */
const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const;

function publicMembers(publicKey: KeyObject): Readonly<Record<string, string>> {
  const jwk = publicKey.export({ format: 'jwk' });
  return Object.fromEntries(
    PUBLIC_MEMBERS.flatMap((name) => {
      const value = jwk[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}

/** RFC 7518 §3.2: as long as the hash. */
const SECRET_BYTES = 32;

/** RFC 8725 §3.1, one key, one algorithm: an RSA key could sign for three. The first algorithm is older than this rule. */
function contextOf(alg: KeyAlgorithm, kid: string): string {
  return alg === 'ES256' ? `signing-key/${kid}` : `signing-key/${kid}/${alg}`;
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

interface RsaStock {
  /** A pair that nobody else gets. Throws `KeyNotPrepared` when there is none. */
  take(): KeyPair;
}

/** RFC 7518 §3.3: at least 2048 bits. Larger ones sign on the same thread as everything else, at three times the cost. */
const BITS = 2048;
/** The one that signs and the one that is next. */
const PAIRS = 2;

const generate = promisify(generateKeyPair);

/** Making a pair takes up to a second, on a thread of its own; none is made before the first is asked for. */
function createRsaStock(): RsaStock {
  const pairs: KeyPair[] = [];
  let making: Promise<void> | undefined;

  async function make(): Promise<void> {
    while (pairs.length < PAIRS) pairs.push(await generate('rsa', { modulusLength: BITS }));
  }

  return {
    take() {
      const pair = pairs.shift();
      if (pair !== undefined) return pair;
      throw new KeyNotPrepared(() => (making ??= make().finally(() => (making = undefined))));
    },
  };
}
