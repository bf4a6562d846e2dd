// From bytes of a connection to packets, and on as few writes as they came in: MQTT 5.0 §2.1.
import { Malformed } from './malformed.ts';
import { PACKET_TOO_LARGE } from './reason-code.ts';

/** `true`: goes on as it is. `false`: does not. Bytes: go on in its place. */
export type Verdict = boolean | Buffer;

export interface PacketStreamOptions {
  /** Of one packet, its header too. */
  readonly maxBytes: number;
  /** One packet: its first byte, its content, its end. @throws Malformed */
  readonly onPacket: (bytes: Buffer, start: number, body: number, end: number) => Verdict;
  readonly forward: (bytes: Buffer) => void;
}

const NOTHING: Buffer = Buffer.alloc(0);
/** Bytes. */
const LEAST_HELD = 64;

export class PacketStream {
  readonly #options: PacketStreamOptions;
  /** The beginning of a packet that is not whole yet, in the first `#have` bytes. */
  #held: Buffer = NOTHING;
  #have = 0;
  /** Bytes that must be there before it is worth looking again. */
  #need = 0;
  #ended = false;

  constructor(options: PacketStreamOptions) {
    this.#options = options;
  }

  /** Bytes of memory for a packet that is not whole yet. */
  get held(): number {
    return this.#held.length;
  }

  /** Nothing that comes later is looked at. */
  end(): void {
    this.#ended = true;
    this.#held = NOTHING;
    this.#have = 0;
  }

  /** @throws Malformed */
  push(chunk: Buffer): void {
    if (this.#ended) return;
    const bytes = this.#whole(chunk);
    if (bytes === undefined) return;
    const { onPacket, forward, maxBytes } = this.#options;
    let at = 0;
    /** From here to `at` everything goes on as it is. */
    let run = 0;
    try {
      while (at < bytes.length && !this.#ended) {
        const length = remainingLength(bytes, at);
        if (length === undefined) {
          this.#need = bytes.length - at + 1;
          break;
        }
        const body = at + 1 + lengthBytes(length);
        const end = body + length;
        if (end - at > maxBytes) throw new Malformed('a packet that is too large', PACKET_TOO_LARGE);
        if (end > bytes.length) {
          this.#need = end - at;
          break;
        }
        const verdict = onPacket(bytes, at, body, end);
        if (verdict !== true) {
          if (run < at) forward(bytes.subarray(run, at));
          run = end;
          if (verdict !== false) forward(verdict);
        }
        at = end;
      }
    } finally {
      // What came before a packet that ends the connection is not its fault.
      if (run < at) forward(bytes.subarray(run, at));
    }
    if (this.#ended) return;
    if (at < bytes.length) this.#hold(bytes.subarray(at));
  }

  #whole(chunk: Buffer): Buffer | undefined {
    if (this.#have === 0) return chunk;
    this.#hold(chunk);
    if (this.#have < this.#need) return undefined;
    const whole = this.#held.subarray(0, this.#have);
    // What is passed on may still be under way when the next packet begins.
    this.#held = NOTHING;
    this.#have = 0;
    return whole;
  }

  /**
   * The second piece is copied, and room doubles from then on: whoever sends single bytes would else make us hold a hundred for
   * each, and whoever announces a large packet gets no room for what has not come. The first is what was received, and not written to.
   */
  #hold(piece: Buffer): void {
    const have = this.#have + piece.length;
    if (this.#have === 0) this.#held = piece;
    else {
      if (have > this.#held.length) {
        const isWhole = have >= this.#need;
        const larger = Buffer.allocUnsafe(isWhole ? have : Math.max(have, 2 * this.#held.length, LEAST_HELD));
        larger.set(this.#held.subarray(0, this.#have), 0);
        this.#held = larger;
      }
      this.#held.set(piece, this.#have);
    }
    this.#have = have;
  }
}

/** §1.5.5 at `at + 1`, in as few bytes as it can be; undefined where it is not whole. @throws Malformed */
function remainingLength(bytes: Buffer, at: number): number | undefined {
  let value = 0;
  for (let i = 1; i <= 4; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) << (7 * (i - 1));
    if (byte < 0x80) {
      if (byte === 0 && i > 1) break;
      return value;
    }
  }
  throw new Malformed('a length that is written too long');
}

function lengthBytes(length: number): number {
  return length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4;
}
