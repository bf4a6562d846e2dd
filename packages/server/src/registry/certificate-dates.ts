import { X509Certificate } from 'node:crypto';

/** When a certificate (PEM) is valid, in epoch milliseconds, both inclusive (RFC 5280 §4.1.2.5). */
export function certificateDates(pem: string): { readonly notBefore: number; readonly notAfter: number } {
  const { validFrom, validTo } = new X509Certificate(pem);
  return { notBefore: Date.parse(validFrom), notAfter: Date.parse(validTo) };
}
