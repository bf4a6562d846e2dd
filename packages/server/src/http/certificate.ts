import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import {
  bitString,
  implicit,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  sequence,
  setOfOne,
  smallInteger,
  tagged,
  time,
  TRUE,
  utf8String,
} from '../x509/der-writer.ts';

/**
 * The certificates that the development CA makes, and no others: X.509 version 3 (RFC 5280 §4.1) over P-256 keys,
 * signed ecdsa-with-SHA256. Without a library, which took a third of a first start.
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
    tagged(0, smallInteger(2)),
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
  return extension('2.5.29.19', ca ? sequence(TRUE, smallInteger(0)) : sequence(), true);
}

/** RFC 5280 §4.2.1.3: bits by their number, `digitalSignature` is 0. */
export function keyUsage(...bits: readonly number[]): Uint8Array {
  return extension('2.5.29.15', namedBits(...bits), true);
}

/** RFC 5280 §4.2.1.12. */
export function extendedKeyUsage(...purposes: readonly string[]): Uint8Array {
  return extension('2.5.29.37', sequence(...purposes.map(objectIdentifier)), false);
}

/** RFC 5280 §4.2.1.2. */
export function subjectKeyIdentifier(key: KeyObject): Uint8Array {
  return extension('2.5.29.14', octetString(keyIdentifier(key)), false);
}

/** RFC 5280 §4.2.1.1. */
export function authorityKeyIdentifier(key: KeyObject): Uint8Array {
  return extension('2.5.29.35', sequence(implicit(0, keyIdentifier(key))), false);
}

/** RFC 5280 §4.2.1.6. Addresses as their 4 or 16 bytes. */
export function subjectAltName(names: readonly string[], addresses: readonly Uint8Array[]): Uint8Array {
  const general = [
    ...names.map((name) => implicit(2, Buffer.from(name, 'latin1'))),
    ...addresses.map((address) => implicit(7, address)),
  ];
  return extension('2.5.29.17', sequence(...general), false);
}

function extension(id: string, value: Uint8Array, critical: boolean): Uint8Array {
  return sequence(objectIdentifier(id), ...(critical ? [TRUE] : []), octetString(value));
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
  const value = sequence(objectIdentifier('2.5.4.3'), utf8String(name));
  return sequence(setOfOne(value));
}

const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
