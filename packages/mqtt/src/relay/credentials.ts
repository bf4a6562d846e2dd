// The token that a client comes with: in the password, or as authentication data of the method `ace` (RFC 9431 §2.2.4).
import { readAuth } from '../wire/answer.ts';
import type { Connect } from '../wire/connect.ts';
import { Malformed } from '../wire/malformed.ts';
import { AUTHENTICATION_DATA, AUTHENTICATION_METHOD, binaryProperty } from '../wire/property.ts';
import { PROTOCOL_ERROR, REAUTHENTICATE } from '../wire/reason-code.ts';
import type { Reason } from '../admission/reasons.ts';

/** IANA, "MQTT Authentication Methods"? There is no registry; the name is of RFC 9431 §2.2.4.1. */
export const METHOD = 'ace';

export type Credentials =
  | { readonly token: string | undefined; readonly method: typeof METHOD | undefined }
  | { readonly reason: Extract<Reason, 'unknown_authentication_method' | 'malformed_authentication_data'> };

export function credentialsOf({ properties, password }: Connect): Credentials {
  const method = binaryProperty(properties, AUTHENTICATION_METHOD)?.toString('utf8');
  if (method === undefined) return { token: password?.toString('utf8'), method: undefined };
  if (method !== METHOD) return { reason: 'unknown_authentication_method' };
  const data = binaryProperty(properties, AUTHENTICATION_DATA);
  if (data === undefined || data.length === 0) return { token: undefined, method };
  return tokenIn(data, method);
}

/** The token of an AUTH that asks for a new one to count. @throws Malformed */
export function renewal(
  method: typeof METHOD | undefined,
  bytes: Buffer,
  body: number,
  end: number,
): Credentials {
  const auth = readAuth(bytes, body, end);
  // MQTT 5.0 §4.12.1: the method that it began with, and none where it began without.
  if (method === undefined || auth.method !== method || auth.code !== REAUTHENTICATE) {
    throw new Malformed('AUTH out of place', PROTOCOL_ERROR);
  }
  return auth.data === undefined ? { reason: 'malformed_authentication_data' } : tokenIn(auth.data, method);
}

/** RFC 9431 §2.2.4.1: its length in two bytes, and the token. A proof behind it is not asked for, so nothing may stand there. */
function tokenIn(data: Buffer, method: typeof METHOD): Credentials {
  if (data.length < 2 || data.readUInt16BE(0) !== data.length - 2) {
    return { reason: 'malformed_authentication_data' };
  }
  return { token: data.toString('utf8', 2), method };
}
