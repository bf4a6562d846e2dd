// MQTT data representations: MQTT 5.0 §1.5. All reads are within `end`; what is not there is malformed.
import { isUtf8 } from 'node:buffer';
import { Malformed } from './malformed.ts';

/** A place in a packet that moves on as it is read. */
export class Cursor {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    this.#need(1);
    return this.bytes[this.at++] as number;
  }

  twoBytes(): number {
    this.#need(2);
    const value = this.bytes.readUInt16BE(this.at);
    this.at += 2;
    return value;
  }

  skip(length: number): void {
    this.#need(length);
    this.at += length;
  }

  /** §1.5.5, at most four bytes. */
  variable(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Malformed('a length of more than four bytes');
  }

  /** §1.5.6. */
  binary(): Buffer {
    const length = this.twoBytes();
    this.#need(length);
    const value = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return value;
  }

  /** §1.5.4: well-formed, and without NUL. */
  text(): string {
    return textOf(this.binary());
  }

  rest(): Buffer {
    return this.bytes.subarray(this.at, this.end);
  }

  #need(length: number): void {
    if (this.at + length > this.end) throw new Malformed('a packet ends too early');
  }
}

/** §1.5.4. Two readings of the same bytes would let one topic pass for another. */
export function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes) || bytes.includes(0)) throw new Malformed('a text that is not UTF-8');
  return bytes.toString('utf8');
}

/** §1.5.4, §1.5.6: its length before it. */
export function prefixed(value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  const whole = Buffer.allocUnsafe(bytes.length + 2);
  whole.writeUInt16BE(bytes.length, 0);
  bytes.copy(whole, 2);
  return whole;
}

/** §1.5.5. */
export function variable(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** A whole packet: type and flags, length, content. */
export function packetOf(header: number, ...content: readonly Buffer[]): Buffer {
  const length = content.reduce((sum, { length: each }) => sum + each, 0);
  return Buffer.concat([Buffer.from([header]), variable(length), ...content]);
}
