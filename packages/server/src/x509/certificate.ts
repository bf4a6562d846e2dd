// Certificates: RFC 5280 §4.1, read strictly. Nothing is said here about whether to believe one.
import {
  context,
  DerError,
  type DerElement,
  DerReader,
  onlyElement,
  readBytesOfBits,
  readInteger,
  readObjectIdentifier,
  readSmallInteger,
  readTime,
  TAG,
} from './der.ts';
import { type DistinguishedName, readDistinguishedName } from './distinguished-name.ts';
import { type Extensions, hex, NO_EXTENSIONS, readExtensions } from './extensions.ts';

export interface AlgorithmIdentifier {
  readonly id: string;
  /** DER; undefined where there are none. */
  readonly parameters: Uint8Array | undefined;
}

export interface Certificate extends Extensions {
  readonly der: Uint8Array;
  /** What is signed. */
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
  readonly version: 1 | 2 | 3;
  /** Hexadecimal, as in the encoding. */
  readonly serialNumber: string;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  /** DER of the subject: what a certificate below names as its issuer, to the letter. */
  readonly subjectBytes: Uint8Array;
  /** Epoch milliseconds, both inclusive. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
}

/** A leaf with its names takes one or two kB; an authority with many constraints some more. */
export const MAX_CERTIFICATE_BYTES: number = 16 * 1024;

export type CertificateReading =
  | { readonly ok: true; readonly certificate: Certificate }
  /** A few words for operators. */
  | { readonly ok: false; readonly fault: string };

/** Reads one certificate, and nothing may follow it. Never throws. */
export function parseCertificate(der: Uint8Array): CertificateReading {
  try {
    if (der.length > MAX_CERTIFICATE_BYTES) throw new DerError('too large');
    return { ok: true, certificate: readCertificate(der) };
  } catch (error) {
    if (error instanceof DerError) return { ok: false, fault: error.message };
    throw error;
  }
}

/** One of our own, or one that was read before. Throws where it cannot be read: a bug. */
export function certificateOf(der: Uint8Array): Certificate {
  const reading = parseCertificate(der);
  if (!reading.ok) throw new TypeError(`a certificate that was taken cannot be read: ${reading.fault}`);
  return reading.certificate;
}

/** RFC 5280 §3.2: issued under its own name. Says nothing about who signed it. */
export function isSelfIssued({ issuer, subject }: Certificate): boolean {
  return issuer.key === subject.key;
}

/** What is signed, by what algorithm, and the signature: the frame of certificates and of revocation lists. */
export interface Signed {
  readonly tbs: DerElement;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly algorithmBytes: Uint8Array;
  readonly signature: Uint8Array;
}

export function readSigned(der: Uint8Array): Signed {
  const outer = new DerReader(onlyElement(der, TAG.sequence).content);
  const tbs = outer.next(TAG.sequence);
  const algorithm = outer.next(TAG.sequence);
  const signature = readBytesOfBits(outer.next(TAG.bitString));
  outer.end();
  return {
    tbs,
    signatureAlgorithm: readAlgorithmIdentifier(algorithm),
    algorithmBytes: algorithm.whole,
    signature,
  };
}

export function readAlgorithmIdentifier({ content }: DerElement): AlgorithmIdentifier {
  const fields = new DerReader(content);
  const id = readObjectIdentifier(fields.next(TAG.objectIdentifier));
  const parameters = fields.ended ? undefined : fields.next().whole;
  fields.end();
  return { id, parameters };
}

/** RFC 5280 §4.1.1.2: what is signed names the same algorithm as what is not. */
export function requireSameAlgorithm(inner: DerElement, outer: Uint8Array): void {
  if (Buffer.compare(inner.whole, outer) !== 0) throw new DerError('two different signature algorithms');
}

const MAX_SERIAL_BYTES = 20;

export function readSerialNumber(element: DerElement): string {
  const bytes = readInteger(element);
  // RFC 5280 §4.1.2.2.
  if (bytes.length > MAX_SERIAL_BYTES) throw new DerError('a serial number that is too long');
  return hex(bytes);
}

function readCertificate(der: Uint8Array): Certificate {
  const signed = readSigned(der);
  const fields = new DerReader(signed.tbs.content);
  const version = readVersion(fields.optional(context(0, true)));
  const serialNumber = readSerialNumber(fields.next(TAG.integer));
  requireSameAlgorithm(fields.next(TAG.sequence), signed.algorithmBytes);
  const issuer = readDistinguishedName(fields.inside(TAG.sequence));
  // RFC 5280 §4.1.2.4.
  if (issuer.rdns.length === 0) throw new DerError('no issuer');
  const validity = fields.inside(TAG.sequence);
  const notBefore = readTime(validity.next());
  const notAfter = readTime(validity.next());
  validity.end();
  const name = fields.next(TAG.sequence);
  const subject = readDistinguishedName(new DerReader(name.content));
  const publicKey = fields.next(TAG.sequence).whole;
  for (const number of [1, 2]) {
    // Unique identifiers: allowed, and nothing looks at them (RFC 5280 §4.1.2.8).
    if (fields.optional(context(number, false)) !== undefined && version < 2)
      throw new DerError('a bad version');
  }
  const list = fields.optional(context(3, true));
  fields.end();
  if (list !== undefined && version !== 3) throw new DerError('extensions need version 3');
  const extensions =
    list === undefined
      ? NO_EXTENSIONS
      : readExtensions(new DerReader(onlyElement(list.content, TAG.sequence).content));
  // RFC 5280 §4.1.2.6: without a subject the names beside it are all there is.
  if (subject.rdns.length === 0 && !extensions.subjectAltNameCritical) throw new DerError('no subject');
  return {
    ...extensions,
    der,
    tbs: signed.tbs.whole,
    signatureAlgorithm: signed.signatureAlgorithm,
    signature: signed.signature,
    version,
    serialNumber,
    issuer,
    subject,
    subjectBytes: name.whole,
    notBefore,
    notAfter,
    publicKey,
  };
}

function readVersion(tagged: DerElement | undefined): 1 | 2 | 3 {
  // X.690 §11.5: version 1 is the default and left out.
  if (tagged === undefined) return 1;
  const version = readSmallInteger(onlyElement(tagged.content, TAG.integer)) + 1;
  if (version !== 2 && version !== 3) throw new DerError('a version that is not known');
  return version;
}
