// Pre-shared keys with AEAD: RFC 6655 (CCM), RFC 5487 (GCM), RFC 5246 §6.2.3.3 (what is under the seal).
import { type CipherCCMTypes, type CipherGCMTypes, createCipheriv, createDecipheriv } from 'node:crypto';
import { DTLS_1_2, type DtlsRecord } from './record.ts';

export type CipherSuiteName =
  | 'TLS_PSK_WITH_AES_128_GCM_SHA256'
  | 'TLS_PSK_WITH_AES_128_CCM'
  | 'TLS_PSK_WITH_AES_128_CCM_8';

export interface CipherSuite {
  readonly id: number;
  readonly name: CipherSuiteName;
  readonly cipher: 'aes-128-ccm' | 'aes-128-gcm';
  readonly tagBytes: number;
}

/** In the order of preference: RFC 9202 §3.3.2 makes the first mandatory, the others have a longer tag. All use SHA-256. */
export const CIPHER_SUITES: readonly CipherSuite[] = [
  { id: 0x00a8, name: 'TLS_PSK_WITH_AES_128_GCM_SHA256', cipher: 'aes-128-gcm', tagBytes: 16 },
  { id: 0xc0a4, name: 'TLS_PSK_WITH_AES_128_CCM', cipher: 'aes-128-ccm', tagBytes: 16 },
  { id: 0xc0a8, name: 'TLS_PSK_WITH_AES_128_CCM_8', cipher: 'aes-128-ccm', tagBytes: 8 },
];

export const KEY_BYTES = 16;
/** The part of a nonce that the handshake gives; the other is in each record. */
export const SALT_BYTES = 4;
const EXPLICIT_BYTES = 8;

/** One direction of a session. */
export interface DirectionKeys {
  readonly suite: CipherSuite;
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
}

type Meta = Pick<DtlsRecord, 'type' | 'epoch' | 'sequence'>;

/** The fragment of a record that holds `text`. The nonce is the record's number: none comes twice in an epoch. */
export function sealFragment({ suite, key, salt }: DirectionKeys, meta: Meta, text: Uint8Array): Buffer {
  const explicit = numberOf(meta);
  const options = { authTagLength: suite.tagBytes };
  const nonce = Buffer.concat([salt, explicit]);
  const cipher = createCipheriv(suite.cipher as CipherCCMTypes & CipherGCMTypes, key, nonce, options);
  cipher.setAAD(additional(explicit, meta.type, text.length), { plaintextLength: text.length });
  return Buffer.concat([explicit, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined when the other side did not seal it. Never throws. */
export function openFragment({ suite, key, salt }: DirectionKeys, record: DtlsRecord): Buffer | undefined {
  const { fragment, type } = record;
  const length = fragment.length - EXPLICIT_BYTES - suite.tagBytes;
  if (length < 0) return undefined;
  const nonce = Buffer.concat([salt, fragment.subarray(0, EXPLICIT_BYTES)]);
  const options = { authTagLength: suite.tagBytes };
  const decipher = createDecipheriv(suite.cipher as CipherCCMTypes & CipherGCMTypes, key, nonce, options);
  decipher.setAuthTag(fragment.subarray(EXPLICIT_BYTES + length));
  decipher.setAAD(additional(numberOf(record), type, length), { plaintextLength: length });
  try {
    const text = decipher.update(fragment.subarray(EXPLICIT_BYTES, EXPLICIT_BYTES + length));
    decipher.final();
    return text;
  } catch {
    return undefined;
  }
}

/** RFC 6347 §4.1.2.1: epoch and sequence number together. */
function numberOf({ epoch, sequence }: Meta): Buffer {
  const bytes = Buffer.alloc(EXPLICIT_BYTES);
  bytes.writeUInt16BE(epoch, 0);
  bytes.writeUIntBE(sequence, 2, 6);
  return bytes;
}

function additional(number: Uint8Array, type: number, length: number): Buffer {
  const bytes = Buffer.alloc(EXPLICIT_BYTES + 5);
  bytes.set(number, 0);
  bytes.writeUInt8(type, 8);
  bytes.writeUInt16BE(DTLS_1_2, 9);
  bytes.writeUInt16BE(length, 11);
  return bytes;
}
