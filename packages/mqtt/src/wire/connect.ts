// CONNECT: MQTT 5.0 §3.1, MQTT 3.1.1 §3.1.
import { Cursor, packetOf, prefixed, textOf } from './data-types.ts';
import { Malformed } from './malformed.ts';
import { CONNECT, type Version } from './packet-type.ts';
import {
  AUTHENTICATION_DATA,
  AUTHENTICATION_METHOD,
  binaryProperty,
  type Property,
  readProperties,
  writeProperties,
} from './property.ts';
import { PROTOCOL_ERROR, UNSUPPORTED_VERSION } from './reason-code.ts';

export interface Will {
  readonly topic: string;
  /** QoS and retain, as the flags have them. */
  readonly flags: number;
  readonly properties: readonly Property[];
  readonly payload: Buffer;
}

export interface Connect {
  readonly version: Version;
  readonly clean: boolean;
  /** Seconds. */
  readonly keepAlive: number;
  readonly properties: readonly Property[];
  readonly clientId: string;
  readonly will: Will | undefined;
  readonly username: string | undefined;
  readonly password: Buffer | undefined;
}

const CLEAN = 0x02;
const WILL = 0x04;
const WILL_QOS = 0x18;
const WILL_RETAIN = 0x20;
const PASSWORD = 0x40;
const USERNAME = 0x80;

/** Reads what stands between `at` and `end`. @throws Malformed */
export function readConnect(bytes: Buffer, at: number, end: number): Connect {
  const cursor = new Cursor(bytes, at, end);
  const name = cursor.text();
  const level = cursor.byte();
  if (name !== 'MQTT' || (level !== 4 && level !== 5)) {
    throw new Malformed('a protocol that is not spoken here', UNSUPPORTED_VERSION);
  }
  const flags = cursor.byte();
  const keepAlive = cursor.twoBytes();
  checkFlags(flags, level);
  const properties = level === 5 ? readProperties(cursor) : [];
  const clientId = cursor.text();
  const will = (flags & WILL) === 0 ? undefined : readWill(cursor, flags, level);
  const username = (flags & USERNAME) === 0 ? undefined : cursor.text();
  const password = (flags & PASSWORD) === 0 ? undefined : cursor.binary();
  if (!cursor.done) throw new Malformed('bytes behind CONNECT');
  if (binaryProperty(properties, AUTHENTICATION_DATA) && !binaryProperty(properties, AUTHENTICATION_METHOD)) {
    throw new Malformed('authentication data without a method', PROTOCOL_ERROR);
  }
  return {
    version: level,
    clean: (flags & CLEAN) !== 0,
    keepAlive,
    properties,
    clientId,
    will,
    username,
    password,
  };
}

/** MQTT 5.0 §3.1.2.3 to §3.1.2.9. */
function checkFlags(flags: number, level: Version): void {
  const hasWill = (flags & WILL) !== 0;
  if ((flags & 1) !== 0 || (flags & WILL_QOS) === WILL_QOS) throw new Malformed('flags of CONNECT');
  if (!hasWill && (flags & (WILL_QOS | WILL_RETAIN)) !== 0) throw new Malformed('flags of no Will');
  // MQTT 3.1.1 §3.1.2.9.
  if (level === 4 && (flags & PASSWORD) !== 0 && (flags & USERNAME) === 0) {
    throw new Malformed('a password without a user name');
  }
}

function readWill(cursor: Cursor, flags: number, level: Version): Will {
  const properties = level === 5 ? readProperties(cursor) : [];
  const topic = textOf(cursor.binary());
  const payload = cursor.binary();
  return { topic, flags: flags & (WILL | WILL_QOS | WILL_RETAIN), properties, payload };
}

/** A CONNECT as a whole packet. */
export function writeConnect(connect: Connect): Buffer {
  const { version, clean, keepAlive, properties, clientId, will, username, password } = connect;
  const flags =
    (clean ? CLEAN : 0) |
    (will?.flags ?? 0) |
    (username === undefined ? 0 : USERNAME) |
    (password === undefined ? 0 : PASSWORD);
  return packetOf(
    CONNECT << 4,
    prefixed('MQTT'),
    Buffer.from([version, flags, keepAlive >> 8, keepAlive & 0xff]),
    ...(version === 5 ? [writeProperties(properties)] : []),
    prefixed(clientId),
    ...(will === undefined
      ? []
      : [
          ...(version === 5 ? [writeProperties(will.properties)] : []),
          prefixed(will.topic),
          prefixed(will.payload),
        ]),
    ...(username === undefined ? [] : [prefixed(username)]),
    ...(password === undefined ? [] : [prefixed(password)]),
  );
}
