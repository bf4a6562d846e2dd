// Certification request (PKCS #10): RFC 2986 §4, as whoever has a key and wants a certificate for it writes one.
import { createPublicKey, type KeyObject, sign } from 'node:crypto';

/** RFC 5758 §3.2, RFC 8410 §3, RFC 4055 §5: by type of key and curve. Hash: undefined where the algorithm has its own. */
const ALGORITHMS: { readonly [kind: string]: { readonly oid: string; readonly hash: string | undefined } } = {
  'ec prime256v1': { oid: '300a06082a8648ce3d040302', hash: 'sha256' },
  'ec secp384r1': { oid: '300a06082a8648ce3d040303', hash: 'sha384' },
  ed25519: { oid: '300506032b6570', hash: undefined },
  rsa: { oid: '300d06092a864886f70d01010b0500', hash: 'sha256' },
};

/**
 * The request for a certificate of this key, PEM: signed by it (RFC 2986 §3), without a subject and without extensions, because whoever
 * issues says whose it is. Throws `TypeError` for a key that is not on P-256, P-384 or Ed25519 and not RSA.
 */
export function createCertificationRequest(privateKey: KeyObject): string {
  const { asymmetricKeyType: type = '', asymmetricKeyDetails: details } = privateKey;
  const kind = type === 'ec' ? `ec ${details?.namedCurve ?? ''}` : type;
  const algorithm = Object.hasOwn(ALGORITHMS, kind) ? ALGORITHMS[kind] : undefined;
  if (algorithm === undefined) throw new TypeError('no request can be made for a key of this kind');
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  // Version 1, which is written 0; an empty name; the key; no attributes.
  const info = element(0x30, Buffer.from('0201003000', 'hex'), spki, Buffer.from('a000', 'hex'));
  const signature = sign(algorithm.hash, info, privateKey);
  const bits = element(0x03, Buffer.of(0), signature);
  return pem(element(0x30, info, Buffer.from(algorithm.oid, 'hex'), bits));
}

/** X.690 §10.1: the shortest form of the length. */
function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.of(tag, ...length), content]);
}

/** RFC 7468 §7. */
function pem(der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines}\n-----END CERTIFICATE REQUEST-----\n`;
}
