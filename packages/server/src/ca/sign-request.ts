// What the holder of a root does, far from any authority: a certificate for an issuing authority that asked for one.
import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { RandomBytes } from '../ids.ts';
import { type Certificate, isSelfIssued, parseCertificate } from '../x509/certificate.ts';
import {
  authorityKeyIdentifier,
  type CertificateSigner,
  identifierOf,
  writeCertificate,
} from '../x509/certificate-writer.ts';
import { nameRequested, readCertificationRequest, type RequestFault } from '../x509/certification-request.ts';
import { readDistinguishedName } from '../x509/distinguished-name.ts';
import { DerError, DerReader, onlyElement, TAG } from '../x509/der.ts';
import { KEY_USAGE } from '../x509/extensions.ts';
import { readPem, writePem } from '../x509/pem.ts';
import { authorityExtensions, BACKDATE_MS, ISSUING_MS, newSerialNumber } from './make-authority.ts';

export type SignFault =
  | { readonly request: RequestFault | 'no_name' }
  /** Not one certificate, or not of an authority below which another may stand. */
  | { readonly root: 'malformed' | 'not_a_root' | 'ended' }
  /** Not that of the root, or not on P-256 or P-384. */
  | { readonly key: 'other' | 'kind' };

export interface SignAsk {
  /** PEM. */
  readonly request: string;
  /** PEM. */
  readonly root: string;
  readonly rootKey: KeyObject;
  /** Milliseconds; undefined: as long as those last that an authority makes for itself. */
  readonly lifetime: number | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly random: RandomBytes;
}

export type Signed =
  | { readonly ok: true /** PEM. */; readonly certificate: string; readonly notAfter: number }
  | { readonly ok: false; readonly fault: SignFault };

/** Its name and its key are those of the request, all else is what this authority gives its own; the trust domain is the root's. */
export function signAuthorityRequest({ request, root, rootKey, lifetime, now, random }: SignAsk): Signed {
  const above = rootOf(root, now);
  if (typeof above === 'string') return { ok: false, fault: { root: above } };
  const signer = signerOf(rootKey);
  if (signer === undefined) return { ok: false, fault: { key: 'kind' } };
  if (!spki(rootKey).equals(Buffer.from(above.publicKey))) return { ok: false, fault: { key: 'other' } };
  const [der, ...others] = readPem(request, 'CERTIFICATE REQUEST') ?? [];
  if (der === undefined || others.length > 0) return { ok: false, fault: { request: 'malformed' } };
  const reading = readCertificationRequest(der);
  if (!reading.ok) return { ok: false, fault: { request: reading.fault } };
  const { publicKey } = reading.request;
  const subject = nameRequested(der);
  if (subject === undefined || !isName(subject)) return { ok: false, fault: { request: 'no_name' } };
  const wanted = Math.min(now + (lifetime ?? ISSUING_MS), above.notAfter);
  const notAfter = Math.floor(wanted / 1000) * 1000;
  const certificate = writeCertificate(
    {
      serialNumber: newSerialNumber(random),
      issuer: above.subjectBytes,
      subject,
      notBefore: Math.max(now - BACKDATE_MS, above.notBefore),
      notAfter,
      publicKey,
      extensions: authorityExtensions(
        publicKey,
        0,
        [authorityKeyIdentifier(identifierOf(above.der))],
        above.subjectAltNames.flatMap((name) => (name.form === 'uri' ? [name.text] : [])),
      ),
    },
    signer,
  );
  return { ok: true, certificate: writePem(certificate, 'CERTIFICATE'), notAfter };
}

function rootOf(pem: string, now: number): Certificate | 'malformed' | 'not_a_root' | 'ended' {
  const [der, ...others] = readPem(pem, 'CERTIFICATE') ?? [];
  if (der === undefined || others.length > 0) return 'malformed';
  const reading = parseCertificate(der);
  if (!reading.ok) return 'malformed';
  const { certificate } = reading;
  const { ca, keyUsage, pathLength, notAfter } = certificate;
  const mayCertify = ca && keyUsage?.has(KEY_USAGE.keyCertSign) !== false && pathLength !== 0;
  if (!mayCertify || !isSelfIssued(certificate)) return 'not_a_root';
  return notAfter > now ? certificate : 'ended';
}

const ALGORITHMS: { readonly [curve: string]: Pick<CertificateSigner, 'alg'> & { readonly hash: string } } = {
  prime256v1: { alg: 'ES256', hash: 'sha256' },
  secp384r1: { alg: 'ES384', hash: 'sha384' },
};

function signerOf(key: KeyObject): CertificateSigner | undefined {
  const curve = key.asymmetricKeyType === 'ec' ? key.asymmetricKeyDetails?.namedCurve : undefined;
  const algorithm = curve === undefined ? undefined : ALGORITHMS[curve];
  if (algorithm === undefined) return undefined;
  return { alg: algorithm.alg, signBytes: (bytes) => sign(algorithm.hash, bytes, key) };
}

function spki(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' });
}

function isName(der: Uint8Array): boolean {
  try {
    return readDistinguishedName(new DerReader(onlyElement(der, TAG.sequence).content)).rdns.length > 0;
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}
