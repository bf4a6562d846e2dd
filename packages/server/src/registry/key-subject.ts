import type { KeyObject } from 'node:crypto';
import { type JsonWebKey, jwkThumbprint } from '@countersign/protocol';

/**
 * What credentials with one public key have in common, whatever they hold it in: its RFC 7638 thumbprint, set apart from the
 * subjects of trusted issuers (federation-rule.ts), which are hashes without a colon.
 */
export function keySubject(publicKey: JsonWebKey | KeyObject): string {
  const jwk = 'export' in publicKey ? publicKey.export({ format: 'jwk' }) : publicKey;
  return `key:${jwkThumbprint(jwk as JsonWebKey)}`;
}
