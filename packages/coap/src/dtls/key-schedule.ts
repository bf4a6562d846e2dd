// From a pre-shared key to the keys of a session: RFC 4279 §2, RFC 5246 §5, §6.3, §8.1, RFC 7627 §4.
import { createHash, createHmac } from 'node:crypto';
import { type CipherSuite, type DirectionKeys, KEY_BYTES, SALT_BYTES } from './cipher-suite.ts';

const MASTER_BYTES = 48;
const VERIFY_BYTES = 12;

export interface SessionKeys {
  readonly client: DirectionKeys;
  readonly server: DirectionKeys;
}

export interface HelloRandoms {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/** `transcript`: all messages up to the ClientKeyExchange; undefined without the extended master secret. */
export function masterSecret(
  psk: Uint8Array,
  randoms: HelloRandoms,
  transcript: Uint8Array | undefined,
): Buffer {
  const premaster = Buffer.alloc(4 + psk.length * 2);
  premaster.writeUInt16BE(psk.length, 0);
  premaster.writeUInt16BE(psk.length, 2 + psk.length);
  premaster.set(psk, 4 + psk.length);
  if (transcript !== undefined)
    return prf(premaster, 'extended master secret', sha256(transcript), MASTER_BYTES);
  return prf(premaster, 'master secret', Buffer.concat([randoms.client, randoms.server]), MASTER_BYTES);
}

export function sessionKeys(master: Uint8Array, randoms: HelloRandoms, suite: CipherSuite): SessionKeys {
  const seed = Buffer.concat([randoms.server, randoms.client]);
  const block = prf(master, 'key expansion', seed, 2 * (KEY_BYTES + SALT_BYTES));
  const salts = 2 * KEY_BYTES;
  return {
    client: { suite, key: block.subarray(0, KEY_BYTES), salt: block.subarray(salts, salts + SALT_BYTES) },
    server: { suite, key: block.subarray(KEY_BYTES, salts), salt: block.subarray(salts + SALT_BYTES) },
  };
}

export function verifyData(master: Uint8Array, side: 'client' | 'server', transcript: Uint8Array): Buffer {
  return prf(master, `${side} finished`, sha256(transcript), VERIFY_BYTES);
}

/** P_SHA256: RFC 5246 §5. */
function prf(secret: Uint8Array, label: string, seed: Uint8Array, length: number): Buffer {
  const labelled = Buffer.concat([Buffer.from(label, 'ascii'), seed]);
  const out: Buffer[] = [];
  let made = 0;
  for (let a: Uint8Array = labelled; made < length; made += 32) {
    a = hmac(secret, a);
    out.push(hmac(secret, Buffer.concat([a, labelled])));
  }
  return Buffer.concat(out).subarray(0, length);
}

function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function sha256(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}
