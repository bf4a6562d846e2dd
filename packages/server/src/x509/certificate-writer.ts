// Certificates as this authority makes them: version 3, RFC 5280 §4.1. What is written is read back by certificate.ts and by
// `openssl verify` in the tests. Without a library: docs/decisions/0050-a-small-certificate-authority.md.
import { createHash } from 'node:crypto';
import { certificateOf } from './certificate.ts';
import { DerReader, onlyElement, readBytesOfBits, TAG } from './der.ts';
import {
  bitString,
  element,
  implicit,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  printableString,
  sequence,
  setOfOne,
  smallInteger,
  tagged,
  time,
  TRUE,
  utf8String,
} from './der-writer.ts';
import { KEY_USAGE } from './extensions.ts';

/** How the issuer signs: the value as it stands in a certificate (RFC 3279 §2.2.3: of ECDSA a SEQUENCE of two integers). */
export interface CertificateSigner {
  readonly alg: 'ES256' | 'ES384';
  signBytes(bytes: Uint8Array): Uint8Array;
}

export interface CertificateContent {
  /** At most 20 bytes, not all zero (RFC 5280 §4.1.2.2). */
  readonly serialNumber: Uint8Array;
  /** DER of the names: the issuer's to the letter as in its own certificate. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Epoch milliseconds, whole seconds of which are kept. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly extensions: readonly Uint8Array[];
}

/** The DER of the certificate. */
export function writeCertificate(content: CertificateContent, signer: CertificateSigner): Uint8Array {
  const tbs = sequence(
    tagged(0, smallInteger(2)),
    integer(content.serialNumber),
    signatureAlgorithm(signer),
    content.issuer,
    sequence(time(content.notBefore), time(content.notAfter)),
    content.subject,
    content.publicKey,
    tagged(3, sequence(...content.extensions)),
  );
  return signedBy(signer, tbs);
}

/** RFC 5280 §4.1.1: what is signed, by what, and the signature. */
export function signedBy(signer: CertificateSigner, tbs: Uint8Array): Uint8Array {
  return sequence(tbs, signatureAlgorithm(signer), bitString(signer.signBytes(tbs)));
}

/** RFC 5758 §3.2: without parameters. */
const SIGNATURE_ALGORITHMS: { readonly [alg in CertificateSigner['alg']]: string } = {
  ES256: '1.2.840.10045.4.3.2',
  ES384: '1.2.840.10045.4.3.3',
};

export function signatureAlgorithm({ alg }: Pick<CertificateSigner, 'alg'>): Uint8Array {
  return sequence(objectIdentifier(SIGNATURE_ALGORITHMS[alg]));
}

/** What a name may be made of here: RFC 5280 §A.1 bounds each to 64 characters. */
export interface NameParts {
  readonly commonName?: string | undefined;
  readonly organization?: string | undefined;
  /** RFC 3739 §3.1.2: tells names apart that would otherwise be the same. Printable. */
  readonly serialNumber?: string | undefined;
}

/** X.680 §41.4: neither the low line nor the at sign is among them. */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/** RFC 5280 §4.1.2.4, most general part first. */
export function writeName({ organization, commonName, serialNumber }: NameParts): Uint8Array {
  const parts: Uint8Array[] = [];
  const add = (type: string, value: Uint8Array) =>
    parts.push(setOfOne(sequence(objectIdentifier(type), value)));
  if (organization !== undefined) add('2.5.4.10', utf8String(organization));
  if (commonName !== undefined) add('2.5.4.3', utf8String(commonName));
  // RFC 5280 §A.1 has it printable; what is not would be malformed under that tag, and Go's parser refuses the whole certificate.
  if (serialNumber !== undefined)
    add('2.5.4.5', (PRINTABLE.test(serialNumber) ? printableString : utf8String)(serialNumber));
  return sequence(...parts);
}

export function extension(id: string, value: Uint8Array, critical: boolean): Uint8Array {
  return sequence(objectIdentifier(id), ...(critical ? [TRUE] : []), octetString(value));
}

/** RFC 5280 §4.2.1.9. `pathLength`: how many authorities may follow below it; undefined: it is none itself. */
export function basicConstraints(pathLength: number | undefined): Uint8Array {
  const value = pathLength === undefined ? sequence() : sequence(TRUE, smallInteger(pathLength));
  return extension('2.5.29.19', value, true);
}

/** RFC 5280 §4.2.1.3. */
export function keyUsage(...uses: readonly (keyof typeof KEY_USAGE)[]): Uint8Array {
  return extension('2.5.29.15', namedBits(...uses.map((use) => KEY_USAGE[use])), true);
}

/** RFC 5280 §4.2.1.12. */
export function extendedKeyUsage(...purposes: readonly string[]): Uint8Array {
  return extension('2.5.29.37', sequence(...purposes.map(objectIdentifier)), false);
}

/** RFC 5280 §4.2.1.2. */
export function subjectKeyIdentifier(identifier: Uint8Array): Uint8Array {
  return extension('2.5.29.14', octetString(identifier), false);
}

/** RFC 5280 §4.2.1.1. */
export function authorityKeyIdentifier(identifier: Uint8Array): Uint8Array {
  return extension('2.5.29.35', sequence(implicit(0, identifier)), false);
}

export interface AlternativeNames {
  readonly uris?: readonly string[];
  readonly dns?: readonly string[];
  /** 4 or 16 bytes each. */
  readonly addresses?: readonly Uint8Array[];
}

/** RFC 5280 §4.2.1.6: critical where there is no subject beside it. */
export function subjectAltName(names: AlternativeNames, critical: boolean): Uint8Array {
  const { uris = [], dns = [], addresses = [] } = names;
  const general = [
    ...uris.map((uri) => implicit(6, Buffer.from(uri, 'latin1'))),
    ...dns.map((name) => implicit(2, Buffer.from(name, 'latin1'))),
    ...addresses.map((address) => implicit(7, address)),
  ];
  return extension('2.5.29.17', sequence(...general), critical);
}

/** RFC 5280 §4.2.1.13: where the revocation list is that speaks of this certificate. */
export function crlDistributionPoint(url: string): Uint8Array {
  const fullName = implicitConstructed(0, implicit(6, Buffer.from(url, 'latin1')));
  return extension('2.5.29.31', sequence(sequence(implicitConstructed(0, fullName))), false);
}

function implicitConstructed(number: number, content: Uint8Array): Uint8Array {
  return element(0xa0 | number, content);
}

/** RFC 7093 §2, method 1: the first 160 bits of the SHA-256 of the key's bits. A name, not a protection. */
export function keyIdentifierOf(spki: Uint8Array): Uint8Array {
  const fields = new DerReader(onlyElement(spki, TAG.sequence).content);
  fields.next(TAG.sequence);
  const bits = readBytesOfBits(fields.next(TAG.bitString));
  return createHash('sha256').update(bits).digest().subarray(0, 20);
}

/** The key identifier that certificates below this one name: its own, or what its key would be called. */
export function identifierOf(der: Uint8Array): Uint8Array {
  const { subjectKeyIdentifier: own, publicKey } = certificateOf(der);
  return own === undefined ? keyIdentifierOf(publicKey) : Buffer.from(own, 'hex');
}
