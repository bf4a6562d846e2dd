// Proving possession of a key: RFC 9449 §4.2 (the proof), §7.1 (with a token), §8.2 and §9 (nonces, one per server).
import { KeyObject, randomUUID, type webcrypto } from 'node:crypto';
import {
  accessTokenHash,
  DPOP_TYP,
  encodeBase64url,
  type JsonWebKey,
  jwsSignature,
  toPublicJwk,
} from '@countersign/protocol';
import { ClientOptionError } from './errors.ts';

/** A private key of `node:crypto`, or a key pair of Web Crypto, whose private half need not be extractable. */
export type DpopKey = KeyObject | webcrypto.CryptoKeyPair;

export interface ProvenCall {
  readonly method: string;
  readonly url: string;
  /** The token that goes with it; none at a token endpoint. */
  readonly accessToken?: string | undefined;
}

export interface DpopProver {
  /** A new proof for one request, with the nonce that its server gave last. */
  proof(call: ProvenCall): Promise<string>;
  /** Takes the nonce of a server's answer. True when it is another one than was known: then trying again makes sense. */
  learn(url: string, headers: Headers): boolean;
}

interface Signer {
  readonly alg: DpopAlgorithm;
  readonly jwk: JsonWebKey;
  sign(input: string): string | Promise<string>;
}

type DpopAlgorithm = 'ES256' | 'ES384' | 'PS256' | 'EdDSA';

/** Servers whose nonces are remembered; the one learnt longest ago makes room. */
const MAX_ORIGINS = 100;
/** RFC 9449 §8.1: NQCHAR; no registered length. */
const NONCE = /^[\x21\x23-\x5b\x5d-\x7e]{1,512}$/;
/** Fetch §2.2.1: these are sent in capitals, however they are written; others as they are. */
const NORMALIZED = /^(?:delete|get|head|options|post|put)$/i;

/**
 * `true` makes a P-256 key for this client, which cannot be exported. `clock`: epoch seconds.
 * @throws ClientOptionError for a key of a kind that proofs are not made with
 */
export function createDpopProver(key: true | DpopKey, clock: () => number): DpopProver {
  const nonces = new Map<string, string>();
  let signer: Promise<Signer> | undefined = key === true ? undefined : Promise.resolve(readKey(key));
  // A key that fails here is reported where it is used first.
  signer?.catch(() => undefined);

  return {
    async proof({ method, url, accessToken }) {
      signer ??= generate();
      const { alg, jwk, sign } = await signer;
      const { origin, pathname } = new URL(url);
      const nonce = nonces.get(origin);
      const claims = {
        jti: randomUUID(),
        htm: NORMALIZED.test(method) ? method.toUpperCase() : method,
        // RFC 9449 §4.2: without query and fragment.
        htu: `${origin}${pathname}`,
        iat: clock(),
        ...(accessToken === undefined ? undefined : { ath: accessTokenHash(accessToken) }),
        ...(nonce === undefined ? undefined : { nonce }),
      };
      const header = { typ: DPOP_TYP, alg, jwk };
      const input = [header, claims].map((part) => encodeBase64url(JSON.stringify(part))).join('.');
      return `${input}.${await sign(input)}`;
    },

    learn(url, headers) {
      const nonce = headers.get('dpop-nonce');
      const { origin } = new URL(url);
      if (nonce === null || !NONCE.test(nonce) || nonces.get(origin) === nonce) return false;
      nonces.delete(origin);
      nonces.set(origin, nonce);
      if (nonces.size > MAX_ORIGINS) nonces.delete(nonces.keys().next().value as string);
      return true;
    },
  };
}

async function generate(): Promise<Signer> {
  const usages = ['sign', 'verify'] as const;
  return pairSigner(
    await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [...usages]),
    'ES256',
  );
}

function readKey(key: DpopKey): Signer | Promise<Signer> {
  const alg = key instanceof KeyObject ? keyObjectAlgorithm(key) : pairAlgorithm(key);
  if (alg === undefined) {
    throw new ClientOptionError(
      'bad_option',
      'dpop',
      'give true, or a private key for P-256, P-384, Ed25519 or RSA from 2048 bits',
    );
  }
  return key instanceof KeyObject ? keyObjectSigner(key, alg) : pairSigner(key, alg);
}

function keyObjectSigner(keyObject: KeyObject, alg: DpopAlgorithm): Signer {
  const signing = { kid: undefined, alg, keyObject };
  return {
    alg,
    jwk: bareJwk(toPublicJwk(keyObject, '', alg)),
    sign: (input) => jwsSignature(input, signing),
  };
}

async function pairSigner(
  { privateKey, publicKey }: webcrypto.CryptoKeyPair,
  alg: DpopAlgorithm,
): Promise<Signer> {
  const exported = await crypto.subtle.exportKey('jwk', publicKey);
  const parameters = {
    ES256: { name: 'ECDSA', hash: 'SHA-256' },
    ES384: { name: 'ECDSA', hash: 'SHA-384' },
    PS256: { name: 'RSA-PSS', saltLength: 32 },
    EdDSA: { name: 'Ed25519' },
  }[alg];
  return {
    alg,
    jwk: bareJwk(exported as unknown as JsonWebKey),
    sign: async (input) =>
      encodeBase64url(new Uint8Array(await crypto.subtle.sign(parameters, privateKey, Buffer.from(input)))),
  };
}

function keyObjectAlgorithm(key: KeyObject): DpopAlgorithm | undefined {
  if (key.type !== 'private') return undefined;
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return 'EdDSA';
  if (type === 'rsa') return (details?.modulusLength ?? 0) >= 2048 ? 'PS256' : undefined;
  return type === 'ec' ? ecdsaAlgorithm(details?.namedCurve) : undefined;
}

function pairAlgorithm(pair: Partial<webcrypto.CryptoKeyPair>): DpopAlgorithm | undefined {
  if (pair.privateKey?.type !== 'private' || pair.publicKey?.type !== 'public') return undefined;
  const { name, namedCurve, hash, modulusLength } = pair.privateKey.algorithm as {
    readonly name: string;
    readonly namedCurve?: string;
    readonly hash?: { readonly name: string };
    readonly modulusLength?: number;
  };
  if (name === 'Ed25519') return 'EdDSA';
  if (name === 'RSA-PSS')
    return hash?.name === 'SHA-256' && (modulusLength ?? 0) >= 2048 ? 'PS256' : undefined;
  return name === 'ECDSA' ? ecdsaAlgorithm(namedCurve) : undefined;
}

function ecdsaAlgorithm(curve: string | undefined): DpopAlgorithm | undefined {
  if (curve === 'P-256' || curve === 'prime256v1') return 'ES256';
  return curve === 'P-384' || curve === 'secp384r1' ? 'ES384' : undefined;
}

/** What a verifier needs and nothing more (RFC 7638 §3.2). */
function bareJwk({ kty, ...rest }: JsonWebKey): JsonWebKey {
  const names = kty === 'RSA' ? ['n', 'e'] : kty === 'EC' ? ['crv', 'x', 'y'] : ['crv', 'x'];
  const members = names.map((name) => [name, (rest as { readonly [name: string]: unknown })[name]]);
  return { kty, ...Object.fromEntries(members) } as JsonWebKey;
}
