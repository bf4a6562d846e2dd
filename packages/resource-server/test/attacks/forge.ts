// Making JWS by hand, well or badly: every part can be given as bytes. Independent of the code under test.
import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface Pair {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: { readonly [name: string]: unknown };
}

export function pairOf(alg: string, kid: string): Pair {
  const made = alg.startsWith('ES')
    ? generateKeyPairSync('ec', { namedCurve: alg === 'ES256' ? 'P-256' : 'P-384' })
    : alg.startsWith('Ed')
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, alg, ...made, jwk: made.publicKey.export({ format: 'jwk' }) as Pair['jwk'] };
}

/** The pair's public key as it stands in a JWK set. */
export function published({ jwk, kid, alg }: Pair, change: object = {}): object {
  return { ...jwk, kid, alg, use: 'sig', ...change };
}

export const b64 = (data: string | Uint8Array): string => Buffer.from(data as string).toString('base64url');

/** Text or bytes as they are, anything else as JSON; members that are undefined are left out. */
export function part(value: unknown): string {
  return b64(typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value));
}

export function signature(alg: string, input: string, key: KeyObject): Buffer {
  const data = Buffer.from(input);
  const hash = alg.endsWith('384') ? 'sha384' : 'sha256';
  if (alg.startsWith('ES')) return sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  if (alg.startsWith('Ed')) return sign(null, data, key);
  if (alg === 'PS256')
    return sign(hash, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
  return sign(hash, data, key);
}

/** Header and payload signed with the pair as it should be, whatever they say. */
export function forge(header: unknown, payload: unknown, by: Pair, alg: string = by.alg): string {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${b64(signature(alg, input, by.privateKey))}`;
}

export function hmac(header: object, payload: unknown, secret: string | Uint8Array, hash = 'sha256'): string {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
}

/** A token whose signature is replaced. */
export function withSignature(token: string, make: (bytes: Buffer) => Uint8Array): string {
  const at = token.lastIndexOf('.');
  return `${token.slice(0, at + 1)}${b64(make(Buffer.from(token.slice(at + 1), 'base64url')))}`;
}

/** The same bytes with stray bits in the last character, where there are any. */
export function nonCanonical(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return text.slice(0, -1) + (alphabet[alphabet.indexOf(text.at(-1) as string) + 1] ?? '_');
}
