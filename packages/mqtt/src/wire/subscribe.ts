// SUBSCRIBE and SUBACK: MQTT 5.0 §3.8, §3.9; MQTT 3.1.1 §3.8, §3.9.
import { Cursor, packetOf } from './data-types.ts';
import { Malformed } from './malformed.ts';
import { SUBSCRIBE, type Version } from './packet-type.ts';
import { readProperties, writeProperties } from './property.ts';
import { PROTOCOL_ERROR } from './reason-code.ts';

/** One topic filter that is asked for. */
export interface Wanted {
  readonly filter: string;
  /** Filter and options, as they are on the wire. */
  readonly bytes: Buffer;
}

export interface Subscribe {
  readonly packetId: number;
  readonly head: Buffer;
  readonly wanted: readonly Wanted[];
}

/** @throws Malformed */
export function readSubscribe(version: Version, bytes: Buffer, at: number, end: number): Subscribe {
  const cursor = new Cursor(bytes, at, end);
  const packetId = cursor.twoBytes();
  if (version === 5) readProperties(cursor);
  const head = bytes.subarray(at, cursor.at);
  const wanted: Wanted[] = [];
  while (!cursor.done) {
    const from = cursor.at;
    const filter = cursor.text();
    cursor.byte();
    wanted.push({ filter, bytes: bytes.subarray(from, cursor.at) });
  }
  // §3.8.3: at least one.
  if (packetId === 0 || wanted.length === 0) throw new Malformed('an empty SUBSCRIBE', PROTOCOL_ERROR);
  return { packetId, head, wanted };
}

/** The same packet with some of its filters only. */
export function writeSubscribe({ head }: Subscribe, wanted: readonly Wanted[]): Buffer {
  return packetOf((SUBSCRIBE << 4) | 2, head, ...wanted.map(({ bytes }) => bytes));
}

export interface Suback {
  readonly packetId: number;
  readonly head: Buffer;
  readonly codes: Buffer;
}

/** @throws Malformed */
export function readSuback(version: Version, bytes: Buffer, at: number, end: number): Suback {
  const cursor = new Cursor(bytes, at, end);
  const packetId = cursor.twoBytes();
  const properties = version === 5 ? [writeProperties(readProperties(cursor))] : [];
  const head = Buffer.concat([bytes.subarray(at, at + 2), ...properties]);
  return { packetId, head, codes: cursor.rest() };
}
