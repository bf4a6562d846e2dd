import { generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  signCertificate,
  subjectKeyIdentifier,
} from '../src/http/certificate.ts';

/** A certificate that a test shows as a client, and what is needed to use it. */
export interface TestCertificate {
  /** PEM of the certificate alone. */
  readonly pem: string;
  readonly der: Uint8Array;
  /** PEM (PKCS #8). */
  readonly key: string;
  readonly privateKey: KeyObject;
  /** `x5t#S256`: base64url of the SHA-256 of the DER (RFC 8705 §3.1). */
  readonly thumbprint: string;
}

const HOUR_MS = 3_600_000;

/** Self-signed unless an issuer is given; valid from an hour ago for a day unless said otherwise. */
export function testCertificate(
  change: {
    subject?: string;
    issuer?: { readonly subject: string; readonly certificate: TestCertificate };
    ca?: boolean;
    notBefore?: number;
    notAfter?: number;
    /** In the place of the key that signs. */
    publicKey?: KeyObject;
  } = {},
): TestCertificate {
  const { privateKey, ...own } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = change.publicKey ?? own.publicKey;
  const subject = change.subject ?? 'a machine';
  const pem = signCertificate(
    {
      serialNumber: Uint8Array.of(1, ...randomBytes(15)),
      issuer: change.issuer?.subject ?? subject,
      subject,
      notBefore: change.notBefore ?? Date.now() - HOUR_MS,
      notAfter: change.notAfter ?? Date.now() + 24 * HOUR_MS,
      publicKey,
      extensions:
        change.ca === true
          ? [basicConstraints(true), keyUsage(5, 6), subjectKeyIdentifier(publicKey)]
          : [basicConstraints(false), keyUsage(0), extendedKeyUsage('1.3.6.1.5.5.7.3.2')],
    },
    change.issuer?.certificate.privateKey ?? privateKey,
  );
  const read = new X509Certificate(pem);
  return {
    pem,
    der: read.raw,
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    privateKey,
    thumbprint: Buffer.from(read.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'),
  };
}
