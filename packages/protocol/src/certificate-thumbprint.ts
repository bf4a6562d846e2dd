// The thumbprint of a certificate: `x5t#S256` of RFC 8705 §3.1.
import { createHash } from 'node:crypto';

/** base64url of the SHA-256 over the DER. */
export function certificateThumbprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('base64url');
}
