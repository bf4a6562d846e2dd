// MQTT 5.0 §2.2.2: properties, of which most only pass through.
import { Cursor, prefixed, variable } from './data-types.ts';
import { Malformed } from './malformed.ts';
import { PROTOCOL_ERROR } from './reason-code.ts';

export const SESSION_EXPIRY_INTERVAL = 0x11;
export const ASSIGNED_CLIENT_IDENTIFIER = 0x12;
export const AUTHENTICATION_METHOD = 0x15;
export const AUTHENTICATION_DATA = 0x16;
export const WILL_DELAY_INTERVAL = 0x18;
export const REASON_STRING = 0x1f;
export const TOPIC_ALIAS_MAXIMUM = 0x22;
export const TOPIC_ALIAS = 0x23;
export const USER_PROPERTY = 0x26;
export const MAXIMUM_PACKET_SIZE = 0x27;
/** May stand more than once in one packet: §3.3.2.3.8. */
const SUBSCRIPTION_IDENTIFIER = 0x0b;

/** How a value is written: §2.2.2.2. A number is its bytes. */
type PropertyType = 1 | 2 | 4 | 'variable' | 'binary' | 'pair';

const TYPES: ReadonlyMap<number, PropertyType> = new Map<number, PropertyType>([
  [0x01, 1],
  [0x02, 4],
  [0x03, 'binary'],
  [0x08, 'binary'],
  [0x09, 'binary'],
  [SUBSCRIPTION_IDENTIFIER, 'variable'],
  [SESSION_EXPIRY_INTERVAL, 4],
  [ASSIGNED_CLIENT_IDENTIFIER, 'binary'],
  [0x13, 2],
  [AUTHENTICATION_METHOD, 'binary'],
  [AUTHENTICATION_DATA, 'binary'],
  [0x17, 1],
  [WILL_DELAY_INTERVAL, 4],
  [0x19, 1],
  [0x1a, 'binary'],
  [0x1c, 'binary'],
  [REASON_STRING, 'binary'],
  [0x21, 2],
  [TOPIC_ALIAS_MAXIMUM, 2],
  [TOPIC_ALIAS, 2],
  [0x24, 1],
  [0x25, 1],
  [USER_PROPERTY, 'pair'],
  [MAXIMUM_PACKET_SIZE, 4],
  [0x28, 1],
  [0x29, 1],
  [0x2a, 1],
]);

export interface Property {
  readonly id: number;
  /** Identifier and value, as they are on the wire. */
  readonly bytes: Buffer;
}

/**
 * Reads a property length and what it counts. A property that stands twice and may not is refused: two readers could take
 * different ones (§2.2.2.2).
 */
export function readProperties(cursor: Cursor): readonly Property[] {
  const length = cursor.variable();
  const end = cursor.at + length;
  if (end > cursor.end) throw new Malformed('properties end after their packet');
  const found: Property[] = [];
  const within = new Cursor(cursor.bytes, cursor.at, end);
  while (!within.done) {
    const from = within.at;
    const id = within.byte();
    skipValue(within, id);
    if (id !== USER_PROPERTY && id !== SUBSCRIPTION_IDENTIFIER && found.some((each) => each.id === id)) {
      throw new Malformed('a property stands twice', PROTOCOL_ERROR);
    }
    found.push({ id, bytes: within.bytes.subarray(from, within.at) });
  }
  cursor.at = end;
  return found;
}

function skipValue(cursor: Cursor, id: number): void {
  const type = TYPES.get(id);
  if (type === undefined) throw new Malformed('an unknown property');
  if (type === 'variable') cursor.variable();
  else if (type === 'binary') cursor.binary();
  else if (type === 'pair') {
    cursor.binary();
    cursor.binary();
  } else cursor.skip(type);
}

function find(properties: readonly Property[], id: number): Buffer | undefined {
  return properties.find((each) => each.id === id)?.bytes;
}

/** The value of a two-byte or four-byte property. */
export function numberProperty(properties: readonly Property[], id: number): number | undefined {
  const bytes = find(properties, id);
  return bytes?.readUIntBE(1, bytes.length - 1);
}

/** The value of a text or binary property. */
export function binaryProperty(properties: readonly Property[], id: number): Buffer | undefined {
  return find(properties, id)?.subarray(3);
}

export function writeText(id: number, value: string | Buffer): Property {
  return { id, bytes: Buffer.concat([Buffer.from([id]), prefixed(value)]) };
}

export function writePair(id: number, name: string, value: string): Property {
  return { id, bytes: Buffer.concat([Buffer.from([id]), prefixed(name), prefixed(value)]) };
}

export function writeFourBytes(id: number, value: number): Property {
  const bytes = Buffer.alloc(5);
  bytes[0] = id;
  bytes.writeUInt32BE(value, 1);
  return { id, bytes };
}

/** A property length and what it counts. */
export function writeProperties(properties: readonly Property[]): Buffer {
  const content = Buffer.concat(properties.map(({ bytes }) => bytes));
  return Buffer.concat([variable(content.length), content]);
}
