// Protocol Buffers, as far as the Workload API needs them: varints, length-delimited fields, doubles.
// https://protobuf.dev/programming-guides/encoding/

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;

/** Builds one message. Fields with their default value are left out by whoever calls, as proto3 wants it. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = [];

  varint(field: number, value: number): this {
    this.#parts.push(varintBytes(tagOf(field, VARINT)), varintBytes(value));
    return this;
  }

  double(field: number, value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#parts.push(varintBytes(tagOf(field, FIXED64)), bytes);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#parts.push(varintBytes(tagOf(field, DELIMITED)), varintBytes(value.length), value);
    return this;
  }

  /** Left out when empty. */
  string(field: number, value: string): this {
    return value === '' ? this : this.bytes(field, Buffer.from(value));
  }

  message(field: number, write: (message: MessageWriter) => void): this {
    const inner = new MessageWriter();
    write(inner);
    return this.bytes(field, inner.finish());
  }

  /** `map<string, bytes>`: an entry each, in the order of the map. */
  mapOfBytes(field: number, map: ReadonlyMap<string, Uint8Array>): this {
    for (const [key, value] of map) this.message(field, (entry) => entry.string(1, key).bytes(2, value));
    return this;
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

function tagOf(field: number, wireType: number): number {
  return field * 8 + wireType;
}

/** Integers up to 2^53. */
function varintBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
