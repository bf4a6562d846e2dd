// Names of proof-of-possession keys, by which their rights are renewed: RFC 9202 §4. No key and no name is stored (docs/decisions/0069).
import { createHmac, timingSafeEqual } from 'node:crypto';
import { decodeBase64url } from '@countersign/protocol';
import type { RandomBytes } from '../../ids.ts';
import type { SealingKey } from '../../keys/keystore.ts';

/** Whose key it is. */
export interface PopKeyHolder {
  readonly clientId: string;
  readonly audience: string;
}

/** Says which secret the key is derived from; the resource server looks at it too. */
export const KEY_TAG_BYTES = 4;
const BORN_BYTES = 4;
const RANDOM_BYTES = 8;
const MAC_BYTES = 12;
const HEAD_BYTES = KEY_TAG_BYTES + BORN_BYTES + RANDOM_BYTES;

/**
 * Seconds in which the rights of a key are renewed. There is no forward secrecy with a pre-shared key, so it does not grow old (RFC 9202 §7).
 */
export const POP_KEY_MAX_AGE = 86_400;

/** How a name begins under this secret. */
export function keyTag({ tag }: Pick<SealingKey, 'tag'>): Buffer {
  const bytes = Buffer.alloc(KEY_TAG_BYTES);
  bytes.writeUInt32BE(tag);
  return bytes;
}

/** In letters and digits: a device's tools take it from a command line, where a zero byte would end it. `now`: epoch seconds. */
export function newPopKeyId(
  sealing: SealingKey,
  holder: PopKeyHolder,
  random: RandomBytes,
  now: number,
): Uint8Array {
  const born = Buffer.alloc(BORN_BYTES);
  born.writeUInt32BE(now);
  const head = Buffer.concat([keyTag(sealing), born, random(RANDOM_BYTES)]);
  return new TextEncoder().encode(Buffer.concat([head, macOf(sealing, holder, head)]).toString('base64url'));
}

/**
 * RFC 9202 §4: "The authorization server MUST verify that the specified kid denotes a valid verifier for a proof-of-possession token that has
 * previously been issued to the requesting client." The name says it itself: it was made here, for this client and this resource
 * server, lately, and under the secret that is in use.
 */
export function isPopKeyIdOf(
  sealing: SealingKey,
  holder: PopKeyHolder,
  kid: Uint8Array,
  now: number,
): boolean {
  const decoded = decodeBase64url(Buffer.from(kid).toString('latin1'));
  if (decoded === undefined || decoded.length !== HEAD_BYTES + MAC_BYTES) return false;
  const bytes = Buffer.from(decoded.buffer, decoded.byteOffset, decoded.length);
  const head = bytes.subarray(0, HEAD_BYTES);
  if (!timingSafeEqual(macOf(sealing, holder, head), bytes.subarray(HEAD_BYTES))) return false;
  return now - head.readUInt32BE(KEY_TAG_BYTES) < POP_KEY_MAX_AGE;
}

/** Which secret the key of a name is derived from; undefined for what is no such name. */
export function secretTagOf(kid: Uint8Array): number | undefined {
  const decoded = decodeBase64url(Buffer.from(kid).toString('latin1'));
  if (decoded === undefined || decoded.length < KEY_TAG_BYTES) return undefined;
  return Buffer.from(decoded.buffer, decoded.byteOffset, decoded.length).readUInt32BE();
}

function macOf(sealing: SealingKey, { clientId, audience }: PopKeyHolder, head: Uint8Array): Buffer {
  const key = sealing.derive('countersign/v1/ace-key-id');
  // A client_id has no character that could end it too early, nor has a URI.
  const mac = createHmac('sha256', key).update(`${clientId}\n${audience}\n`).update(head).digest();
  return mac.subarray(0, MAC_BYTES);
}
