// CONNACK: MQTT 5.0 §3.2, MQTT 3.1.1 §3.2.
import { Cursor, packetOf } from './data-types.ts';
import { CONNACK, type Version } from './packet-type.ts';
import { type Property, readProperties, writeProperties } from './property.ts';

export interface Connack {
  readonly sessionPresent: number;
  readonly code: number;
  readonly properties: readonly Property[];
}

/** @throws Malformed */
export function readConnack(version: Version, bytes: Buffer, at: number, end: number): Connack {
  const cursor = new Cursor(bytes, at, end);
  const sessionPresent = cursor.byte();
  const code = cursor.byte();
  return { sessionPresent, code, properties: version === 5 ? readProperties(cursor) : [] };
}

export function writeConnack(version: Version, { sessionPresent, code, properties }: Connack): Buffer {
  return packetOf(
    CONNACK << 4,
    Buffer.from([sessionPresent, code]),
    ...(version === 5 ? [writeProperties(properties)] : []),
  );
}
