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

/** Marks one behind the other in one piece of memory: as objects of their own, a second's worth would outlive every young collection. */
export class MarkList {
  #bytes: Buffer = Buffer.allocUnsafe(64 * ENTRY_BYTES);
  #length = 0;
  #lastExpiry = 0;

  /** How many. */
  get count(): number {
    return this.#length / ENTRY_BYTES;
  }

  /** Epoch seconds; 0 of none. */
  get lastExpiry(): number {
    return this.#lastExpiry;
  }

  add(mark: UsedOnceMark): void {
    if (this.#length + ENTRY_BYTES > this.#bytes.length) this.#grow(this.#length * 2);
    this.#bytes.set(mark, this.#length);
    this.#length += ENTRY_BYTES;
    this.#lastExpiry = Math.max(this.#lastExpiry, expiryOf(mark));
  }

  addAll(others: MarkList): void {
    if (this.#length + others.#length > this.#bytes.length) this.#grow((this.#length + others.#length) * 2);
    others.#bytes.copy(this.#bytes, this.#length, 0, others.#length);
    this.#length += others.#length;
    this.#lastExpiry = Math.max(this.#lastExpiry, others.#lastExpiry);
  }

  toString(encoding: 'base64'): string {
    return this.#bytes.toString(encoding, 0, this.#length);
  }

  #grow(length: number): void {
    const before = this.#bytes;
    this.#bytes = Buffer.allocUnsafe(length);
    before.copy(this.#bytes, 0, 0, this.#length);
  }
}
