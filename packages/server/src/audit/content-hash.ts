import { createHash } from 'node:crypto';
import { canonicalJson } from '@countersign/tlog';

/** SHA-256, in hexadecimal, of the canonical JSON (RFC 8785) of what JSON can say. Members that are undefined are not there. */
export function contentHash(content: unknown): string {
  const canonical = canonicalJson(JSON.parse(JSON.stringify(content)));
  return createHash('sha256').update(canonical).digest('hex');
}
