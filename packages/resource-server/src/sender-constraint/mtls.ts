// Tokens bound to a certificate, at an API: RFC 8705 §3, §3.1.
import { certificateThumbprint } from '@countersign/protocol';
import type { Finding } from '../finding.ts';

/**
 * `certificate` is the DER of what the caller proved to have the key of. Whether somebody trusted signed it is for the TLS
 * layer to say, and does not matter here: the thumbprint is compared all the same (RFC 8705 §3).
 */
export function checkCertificate(
  thumbprint: string,
  certificate: Uint8Array | undefined,
): Finding | undefined {
  // Whatever else a caller of ours hands over is no certificate.
  if (!(certificate instanceof Uint8Array)) return { reason: 'certificate_missing' };
  return certificateThumbprint(certificate) === thumbprint ? undefined : { reason: 'certificate_mismatch' };
}
