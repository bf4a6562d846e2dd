import { hash } from 'node:crypto';

/** A used proof as it is remembered: 8 bytes of the digest of its id, and its expiry in epoch seconds (4 bytes, big-endian). */
export type UsedOnceMark = Buffer;

export const ENTRY_BYTES = 12;
const DIGEST_BYTES = 8;
/** What an expiry's four bytes hold: the year 2106. */
const LAST_SECOND = 2 ** 32 - 1;

/** @param expiresAt epoch ms, rounded up to a second */
export function markOf(namespace: string, id: string, expiresAt: number): UsedOnceMark {
  const mark = Buffer.allocUnsafe(ENTRY_BYTES);
  mark.write(hash('sha256', `${namespace}\0${id}`, 'hex').slice(0, 2 * DIGEST_BYTES), 'hex');
  mark.writeUInt32BE(Math.min(Math.ceil(expiresAt / 1000), LAST_SECOND), DIGEST_BYTES);
  return mark;
}

/** Epoch seconds. */
export function expiryOf(mark: UsedOnceMark): number {
  return mark.readUInt32BE(DIGEST_BYTES);
}

/** A mark in base64url, as the event of a token carries it; undefined for what is none. */
export function readMark(text: string): UsedOnceMark | undefined {
  const mark = Buffer.from(text, 'base64url');
  return mark.length === ENTRY_BYTES && mark.toString('base64url') === text ? mark : undefined;
}
