import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';

/**
 * The certificates that the development CA makes, and no others: X.509 version 3 (RFC 5280 §4.1) over P-256 keys,
 * signed ecdsa-with-SHA256. Written as DER here, because a library for it took a third of a first start.
 */

export interface CertificateFacts {
  /** Positive, at most 20 bytes, no leading zero byte (RFC 5280 §4.1.2.2). */
  readonly serialNumber: Uint8Array;
  readonly issuer: string;
  readonly subject: string;
  /** Epoch milliseconds, whole seconds of which are kept. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Uint8Array[];
}

/** Gives the certificate as PEM. `signingKey` is the issuer's. */
export function signCertificate(facts: CertificateFacts, signingKey: KeyObject): string {
  const tbs = sequence(
    tagged(0, integer(Uint8Array.of(2))),
    integer(facts.serialNumber),
    ECDSA_WITH_SHA256,
    commonName(facts.issuer),
    sequence(time(facts.notBefore), time(facts.notAfter)),
    commonName(facts.subject),
    spki(facts.publicKey),
    tagged(3, sequence(...facts.extensions)),
  );
  // RFC 5758 §3.2: the signature is the DER that Node writes unless told otherwise.
  const der = sequence(tbs, ECDSA_WITH_SHA256, bitString(sign('sha256', tbs, signingKey)));
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----`;
}

/** RFC 5280 §4.2.1.9. A CA of this kind signs no other CA. */
export function basicConstraints(ca: boolean): Uint8Array {
  return extension('2.5.29.19', ca ? sequence(TRUE, integer(Uint8Array.of(0))) : sequence(), true);
}

/** RFC 5280 §4.2.1.3: bits by their number, `digitalSignature` is 0. */
export function keyUsage(...bits: readonly number[]): Uint8Array {
  const byte = bits.reduce((all, bit) => all | (0x80 >> bit), 0);
  // X.690 §11.2.2: the zero bits at the end of a list of named bits are left out.
  const unused = 7 - Math.max(...bits);
  return extension('2.5.29.15', element(0x03, Uint8Array.of(unused, byte)), true);
}

/** RFC 5280 §4.2.1.12. */
export function extendedKeyUsage(...purposes: readonly string[]): Uint8Array {
  return extension('2.5.29.37', sequence(...purposes.map(objectIdentifier)), false);
}

/** RFC 5280 §4.2.1.2. */
export function subjectKeyIdentifier(key: KeyObject): Uint8Array {
  return extension('2.5.29.14', element(0x04, keyIdentifier(key)), false);
}

/** RFC 5280 §4.2.1.1. */
export function authorityKeyIdentifier(key: KeyObject): Uint8Array {
  return extension('2.5.29.35', sequence(element(0x80, keyIdentifier(key))), false);
}

/** RFC 5280 §4.2.1.6. Addresses as their 4 or 16 bytes. */
export function subjectAltName(names: readonly string[], addresses: readonly Uint8Array[]): Uint8Array {
  const general = [
    ...names.map((name) => element(0x82, Buffer.from(name, 'latin1'))),
    ...addresses.map((address) => element(0x87, address)),
  ];
  return extension('2.5.29.17', sequence(...general), false);
}

function extension(id: string, value: Uint8Array, critical: boolean): Uint8Array {
  return sequence(objectIdentifier(id), ...(critical ? [TRUE] : []), element(0x04, value));
}

/** RFC 5280 §4.2.1.2, way 1: SHA-1 over the key's bits, as a name and not as a protection. */
function keyIdentifier(key: KeyObject): Uint8Array {
  return createHash('sha1').update(spki(key).subarray(-POINT_BYTES)).digest();
}

/** An uncompressed point on P-256: what ends the SubjectPublicKeyInfo. */
const POINT_BYTES = 65;

function spki(key: KeyObject): Uint8Array {
  const open = key.type === 'private' ? createPublicKey(key) : key;
  return open.export({ format: 'der', type: 'spki' });
}

function commonName(name: string): Uint8Array {
  const value = sequence(objectIdentifier('2.5.4.3'), element(0x0c, Buffer.from(name, 'utf8')));
  return sequence(element(0x31, value));
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from then on. */
function time(at: number): Uint8Array {
  const digits = `${new Date(at).toISOString().slice(0, 19).replace(/\D/g, '')}Z`;
  return digits < '2050'
    ? element(0x17, Buffer.from(digits.slice(2), 'latin1'))
    : element(0x18, Buffer.from(digits, 'latin1'));
}

/** X.690 §8.19: two arcs in the first number, seven bits a byte. */
function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(value: number): readonly number[] {
  const low = value & 0x7f;
  const high = base128High(value >> 7);
  return [...high, low];
}

function base128High(value: number): readonly number[] {
  return value === 0 ? [] : [...base128High(value >> 7), (value & 0x7f) | 0x80];
}

function integer(bytes: Uint8Array): Uint8Array {
  return element(0x02, bytes);
}

function bitString(bytes: Uint8Array): Uint8Array {
  return element(0x03, Buffer.concat([Uint8Array.of(0), bytes]));
}

function tagged(number: number, content: Uint8Array): Uint8Array {
  return element(0xa0 | number, content);
}

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return element(0x30, Buffer.concat(parts));
}

/** X.690 §8.1.3, §10.1: the shortest form of the length. */
function element(tag: number, content: Uint8Array): Uint8Array {
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...length), content]);
}

const TRUE = element(0x01, Uint8Array.of(0xff));
const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
