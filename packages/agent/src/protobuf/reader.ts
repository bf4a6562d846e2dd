// Protocol Buffers, as far as the Workload API needs them.
// https://protobuf.dev/programming-guides/encoding/

/** What was sent is no message of Protocol Buffers, or not one of this type. */
export class MalformedMessage extends Error {}

export type Field =
  | { readonly field: number; readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly field: number; readonly kind: 'number'; readonly value: number };

/** Fields of one message; more are refused, not read. */
const MOST_FIELDS = 1000;

/**
 * The fields of a message in the order in which they were sent. Unknown ones are the caller's to pass over: that is how the
 * protocol grows.
 * @throws MalformedMessage
 */
export function readFields(message: Uint8Array): readonly Field[] {
  const view = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const fields: Field[] = [];
  let at = 0;

  function varint(): number {
    let value = 0;
    for (let shift = 0; shift < 10; shift++) {
      const byte = view[at++];
      if (byte === undefined) throw new MalformedMessage('it ends within a number');
      // Beyond 2^53 a number of this kind has no meaning here; only its end is looked for.
      if (shift < 8) value += (byte & 127) * 128 ** shift;
      if (byte < 128) return value;
    }
    throw new MalformedMessage('a number is longer than ten bytes');
  }

  function take(length: number): Uint8Array {
    if (length > view.length - at) throw new MalformedMessage('a field ends after the message');
    at += length;
    return view.subarray(at - length, at);
  }

  while (at < view.length) {
    if (fields.length === MOST_FIELDS) throw new MalformedMessage('it has too many fields');
    const tag = varint();
    const field = Math.floor(tag / 8);
    if (field === 0) throw new MalformedMessage('there is no field 0');
    switch (tag % 8) {
      case 0:
        fields.push({ field, kind: 'number', value: varint() });
        break;
      case 1:
        fields.push({ field, kind: 'number', value: Buffer.from(take(8)).readDoubleLE() });
        break;
      case 2:
        fields.push({ field, kind: 'bytes', value: take(varint()) });
        break;
      case 5:
        fields.push({ field, kind: 'number', value: Buffer.from(take(4)).readUInt32LE() });
        break;
      default:
        throw new MalformedMessage('a field has an unknown wire type');
    }
  }
  return fields;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws MalformedMessage where the field is no text */
export function textOf(field: Field): string {
  if (field.kind !== 'bytes') throw new MalformedMessage('a text was sent as a number');
  try {
    return utf8.decode(field.value);
  } catch {
    throw new MalformedMessage('a text is not UTF-8');
  }
}
