// Handshake messages and their fragments: RFC 6347 §4.2.2, §4.2.3.

export const HANDSHAKE = {
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  serverHelloDone: 14,
  clientKeyExchange: 16,
  finished: 20,
} as const;

export const HANDSHAKE_HEADER_BYTES = 12;
/** The longest message that is read: a ClientKeyExchange with a token of 1,024 bytes is far below, and so is every ClientHello. */
export const MAX_MESSAGE_BYTES = 4096;

export interface Fragment {
  readonly type: number;
  /** Of the whole message. */
  readonly length: number;
  readonly sequence: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The fragments in a record; undefined when one of them cannot be. Never throws. */
export function readFragments(record: Uint8Array): readonly Fragment[] | undefined {
  const fragments: Fragment[] = [];
  for (let at = 0; at < record.length; ) {
    if (record.length - at < HANDSHAKE_HEADER_BYTES) return undefined;
    const view = Buffer.from(record.buffer, record.byteOffset + at, record.length - at);
    const length = view.readUIntBE(1, 3);
    const offset = view.readUIntBE(6, 3);
    const size = view.readUIntBE(9, 3);
    if (length > MAX_MESSAGE_BYTES || offset + size > length) return undefined;
    if (size > view.length - HANDSHAKE_HEADER_BYTES) return undefined;
    const bytes = view.subarray(HANDSHAKE_HEADER_BYTES, HANDSHAKE_HEADER_BYTES + size);
    fragments.push({ type: view.readUInt8(0), length, sequence: view.readUInt16BE(4), offset, bytes });
    at += HANDSHAKE_HEADER_BYTES + size;
  }
  return fragments;
}

/** In one piece, which is also how a message goes into the transcript, however it came (RFC 6347 §4.2.6). */
export function writeHandshake(type: number, sequence: number, body: Uint8Array): Buffer {
  const message = Buffer.alloc(HANDSHAKE_HEADER_BYTES + body.length);
  message.writeUInt8(type, 0);
  message.writeUIntBE(body.length, 1, 3);
  message.writeUInt16BE(sequence, 4);
  message.writeUIntBE(0, 6, 3);
  message.writeUIntBE(body.length, 9, 3);
  message.set(body, HANDSHAKE_HEADER_BYTES);
  return message;
}
