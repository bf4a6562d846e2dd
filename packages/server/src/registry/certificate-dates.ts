import { X509Certificate } from 'node:crypto';
import { parseCertificate } from '../x509/certificate.ts';

/**
 * When a registered certificate (PEM) is valid, in epoch milliseconds, both inclusive (RFC 5280 §4.1.2.5). The platform tells
 * dates as text, in which the year 30 reads as 2030.
 */
export function certificateDates(pem: string): { readonly notBefore: number; readonly notAfter: number } {
  const reading = parseCertificate(new X509Certificate(pem).raw);
  if (!reading.ok) throw new TypeError(`a certificate was registered that cannot be read: ${reading.fault}`);
  const { notBefore, notAfter } = reading.certificate;
  return { notBefore, notAfter };
}
