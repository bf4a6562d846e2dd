// Tokens bound to a certificate, at an API: RFC 8705 §3, §3.1.
import type { Finding } from '../finding.ts';
import type { Platform } from '../platform/platform.ts';

/**
 * `certificate` is the DER of what the caller proved to have the key of. Whether somebody trusted signed it is for the TLS
 * layer to say, and does not matter here: the thumbprint is compared all the same (RFC 8705 §3).
 */
export async function checkCertificate(
  thumbprint: string,
  certificate: Uint8Array | undefined,
  { sha256 }: Pick<Platform, 'sha256'>,
): Promise<Finding | undefined> {
  // Whatever else a caller of ours hands over is no certificate.
  if (!(certificate instanceof Uint8Array)) return { reason: 'certificate_missing' };
  return (await sha256(certificate)) === thumbprint ? undefined : { reason: 'certificate_mismatch' };
}
