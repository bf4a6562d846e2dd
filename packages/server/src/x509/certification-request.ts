// Certification requests (PKCS #10): RFC 2986 §4. Of a machine's only the key counts, and that its holder signed: extensions that
// it asks for are not even read, and of its name nothing is believed, because whose certificate it becomes is not for it to say.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readSigned } from './certificate.ts';
import { context, DerError, DerReader, readSmallInteger, TAG } from './der.ts';
import { usableKey } from './public-key.ts';
import { signatureFault } from './signature.ts';

export interface CertificationRequest {
  readonly key: KeyObject;
  /** SubjectPublicKeyInfo, DER, in the one form that certificates here have it: whole points. */
  readonly publicKey: Uint8Array;
}

export type RequestFault =
  /** No PKCS #10, or larger than `MAX_REQUEST_BYTES`. */
  | 'malformed'
  /** A kind or size of key that gets no certificate here. */
  | 'key_not_allowed'
  /** RSA below 2,048 bits, a point of small order, a known weakness; or a signature with SHA-1 or older. */
  | 'weak'
  /** Whoever sent it has not signed it with the key in it (RFC 2986 §3): proof of possession. */
  | 'not_proved';

export type RequestReading =
  | { readonly ok: true; readonly request: CertificationRequest }
  | { readonly ok: false; readonly fault: RequestFault };

/** With an RSA key of 4,096 bits and many names asked for it takes 3 kB. */
export const MAX_REQUEST_BYTES: number = 16 * 1024;

/** Reads one request, and nothing may follow it; checks its key and its signature. Never throws. */
export function readCertificationRequest(der: Uint8Array): RequestReading {
  const parts = partsOf(der);
  if (parts === undefined) return { ok: false, fault: 'malformed' };
  const { tbs, spki, signatureAlgorithm, signature } = parts;
  const usable = usableKey(spki);
  if (usable === 'weak') return { ok: false, fault: 'weak' };
  if (usable === 'unusable' || !isAllowed(usable.key)) return { ok: false, fault: 'key_not_allowed' };
  const fault = signatureFault(tbs, signatureAlgorithm, signature, usable);
  if (fault !== undefined) return { ok: false, fault: fault === 'weak' ? 'weak' : 'not_proved' };
  return { ok: true, request: { key: usable.key, publicKey: wholePoint(usable.key) } };
}

/** DER of the name that a request asks for, which whoever certifies an authority by hand takes over; undefined for what is none. */
export function nameRequested(der: Uint8Array): Uint8Array | undefined {
  return partsOf(der)?.subject;
}

interface Parts extends Pick<ReturnType<typeof readSigned>, 'signatureAlgorithm' | 'signature'> {
  readonly tbs: Uint8Array;
  readonly spki: Uint8Array;
  readonly subject: Uint8Array;
}

function partsOf(der: Uint8Array): Parts | undefined {
  if (der.length > MAX_REQUEST_BYTES) return undefined;
  try {
    const signed = readSigned(der);
    const fields = new DerReader(signed.tbs.content);
    // RFC 2986 §4.1: version 1, which is written 0.
    if (readSmallInteger(fields.next(TAG.integer)) !== 0) return undefined;
    const subject = fields.next(TAG.sequence).whole;
    const spki = fields.next(TAG.sequence).whole;
    // Attributes: required by the RFC, and left out by some when there are none.
    fields.optional(context(0, true));
    fields.end();
    const { signatureAlgorithm, signature } = signed;
    return { tbs: signed.tbs.whole, spki, subject, signatureAlgorithm, signature };
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

const CURVES: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1']);
const MOST_RSA_BITS = 4096;
const RSA_EXPONENT = 65537n;

/** P-256, P-384, Ed25519, RSA from 2,048 (usableKey) to 4,096 bits with the usual exponent: what TLS stacks in use can show. */
function isAllowed({ asymmetricKeyType: kind, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (kind === 'ed25519') return true;
  if (kind === 'ec') return CURVES.has(details?.namedCurve);
  if (kind !== 'rsa') return false;
  return (details?.modulusLength ?? 0) <= MOST_RSA_BITS && details?.publicExponent === RSA_EXPONENT;
}

/** RFC 5480 §2.2: not everybody reads compressed points. */
function wholePoint(key: KeyObject): Uint8Array {
  const whole = key.asymmetricKeyType === 'ec' ? again(key) : key;
  return whole.export({ format: 'der', type: 'spki' });
}

function again(key: KeyObject): KeyObject {
  return createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' });
}
