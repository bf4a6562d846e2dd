import { readPem } from '../../x509/pem.ts';

/** The certificates of a PEM text, DER in base64: RFC 7468 §5. */
export function certificateTexts(pem: string): string[] {
  return (readPem(pem, 'CERTIFICATE') ?? []).map((der) => Buffer.from(der).toString('base64'));
}
