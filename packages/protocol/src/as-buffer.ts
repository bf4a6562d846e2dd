// No RFC: a Buffer over the same memory, so that node's native readers can be used.
import { Buffer } from 'node:buffer';

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
