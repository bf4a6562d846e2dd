// Packets that are answers, with nothing in them but codes: MQTT 5.0 §3.4 to §3.7, §3.9, §3.14, §3.15; MQTT 3.1.1 §3.7, §3.9.
import { Cursor, packetOf } from './data-types.ts';
import { AUTH, DISCONNECT, PUBREL, SUBACK, type Version } from './packet-type.ts';
import {
  AUTHENTICATION_DATA,
  AUTHENTICATION_METHOD,
  binaryProperty,
  type Property,
  readProperties,
  writeProperties,
} from './property.ts';
import { PROTOCOL_ERROR, SUCCESS } from './reason-code.ts';
import { Malformed } from './malformed.ts';

const NONE: readonly Property[] = [];

/** PUBACK, PUBREC, PUBREL or PUBCOMP. MQTT 3.1.1 has no code in it, so there it only says that the packet came. */
export function acknowledgement(version: Version, type: number, packetId: number, code: number): Buffer {
  const id = Buffer.from([packetId >> 8, packetId & 0xff]);
  const header = (type << 4) | (type === PUBREL ? 2 : 0);
  return version === 5 && code !== SUCCESS ? packetOf(header, id, Buffer.from([code])) : packetOf(header, id);
}

export function suback(version: Version, packetId: number, codes: readonly number[]): Buffer {
  const id = Buffer.from([packetId >> 8, packetId & 0xff]);
  const properties = version === 5 ? [writeProperties(NONE)] : [];
  return packetOf(SUBACK << 4, id, ...properties, Buffer.from(codes));
}

/** MQTT 5.0 §3.14; in 3.1.1 only a client sends one. */
export function disconnect(version: Version, code: number): Buffer {
  return packetOf(DISCONNECT << 4, ...(version === 5 ? [Buffer.from([code, 0])] : []));
}

export interface Auth {
  readonly code: number;
  readonly method: string | undefined;
  readonly data: Buffer | undefined;
}

/** AUTH: MQTT 5.0 §3.15. @throws Malformed */
export function readAuth(bytes: Buffer, at: number, end: number): Auth {
  const cursor = new Cursor(bytes, at, end);
  // §3.15.2.1: without content it is a success, which no client has to tell.
  if (cursor.done) throw new Malformed('AUTH without a method', PROTOCOL_ERROR);
  const code = cursor.byte();
  const properties = cursor.done ? NONE : readProperties(cursor);
  const method = binaryProperty(properties, AUTHENTICATION_METHOD)?.toString('utf8');
  return { code, method, data: binaryProperty(properties, AUTHENTICATION_DATA) };
}

export function writeAuth(code: number, properties: readonly Property[]): Buffer {
  return packetOf(AUTH << 4, Buffer.from([code]), writeProperties(properties));
}
