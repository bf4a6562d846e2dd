// Reading back tokens of this authority (RFC 9068 §4) with keys that other nodes make.
import { beforeEach, describe, expect, it } from 'vitest';
import { ISSUER, NOW } from '../../../test/token-scene.ts';
import { pooledRandom } from '../../ids.ts';
import { createSeal } from '../../keys/seal.ts';
import { createSigningKeystore, type SigningKeystore } from '../../keys/signing-keystore.ts';
import { localSigner } from '../../signers/local.ts';
import { StorageError } from '../../storage/errors.ts';
import type { KeyAlgorithm, SigningKeyRecord } from '../../storage/signing-keys.ts';
import { JTI_BYTES, sealOpaqueToken } from './opaque-token.ts';
import { createOwnTokenReader, type OwnTokenReader } from './own-token.ts';

const random = pooledRandom();
const signer = localSigner(createSeal(new Uint8Array(32).fill(7), random));

let now: number;
let live: SigningKeyRecord[];
let readings: number;
let gone: boolean;
/** The node that makes keys and tokens, and the one that is shown them. */
let maker: SigningKeystore;
let reader: OwnTokenReader;
beforeEach(async () => {
  now = NOW;
  live = [];
  readings = 0;
  gone = false;
  const clock = { now: () => now };
  maker = await createSigningKeystore({ keys: { live: async () => live }, signer, clock });
  const counting = async () => {
    readings++;
    if (gone) throw new StorageError('unavailable', 'gone');
    return live;
  };
  const keystore = await createSigningKeystore({ keys: { live: counting }, signer, clock });
  readings = 0;
  reader = createOwnTokenReader({ issuer: ISSUER, keystore, clock });
});

async function addKey(alg: KeyAlgorithm, digit: string): Promise<void> {
  const kid = `key_${digit.repeat(20)}`;
  const times = { createdAt: NOW, activeAt: NOW, retiringAt: undefined, removeAt: undefined };
  live.push({ kid, alg, state: 'active', ...(await signer.generate(alg, kid)), ...times, version: 1 });
  await maker.reload();
}

const CLAIMS = {
  iss: ISSUER,
  aud: 'https://fraud.test',
  sub: 'payments',
  client_id: 'payments',
  iat: 1,
  exp: 2,
  jti: 'j',
};
const jwt = (): Promise<string> => maker.sign('ES256', 'at+jwt', JSON.stringify(CLAIMS));
const opaque = async (): Promise<string> =>
  sealOpaqueToken(
    await maker.sealingKey(),
    ISSUER,
    random(JTI_BYTES),
    JSON.stringify(['payments', 'crd_1', 'acs_1', 'https://fraud.test', 'a', 1, 1]),
  );
const headed = (header: object): string =>
  `${Buffer.from(JSON.stringify(header)).toString('base64url')}.e30.${'A'.repeat(86)}`;
const madeUp = (digit: string): string =>
  headed({ alg: 'ES256', typ: 'at+jwt', kid: `key_${digit.repeat(20)}` });

describe('a token of a key that another node made a moment ago', () => {
  it.each<[string, KeyAlgorithm, () => Promise<string>]>([
    ['signed', 'ES256', jwt],
    ['sealed', 'HS256', opaque],
  ])('is read after one look at the keys: %s', async (_what, alg, make) => {
    await addKey(alg, '1');
    const token = await make();
    expect(await reader.read(token)).toMatchObject({ claims: { sub: 'payments' } });
    // From then on at once.
    expect(reader.read(token)).toMatchObject({ claims: { sub: 'payments' } });
    expect(readings).toBe(1);
  });

  it('is read once for all who show one at the same time', async () => {
    await addKey('ES256', '1');
    const tokens = await Promise.all([jwt(), jwt(), jwt()]);
    const read = await Promise.all(tokens.map(async (token) => reader.read(token)));
    expect(read.map((own) => own?.claims.sub)).toEqual(['payments', 'payments', 'payments']);
    expect(readings).toBe(1);
  });
});

describe('tokens of keys that nobody has', () => {
  it('cause one reading a second, however many there are', async () => {
    for (const digit of '0123456789') expect(await reader.read(madeUp(digit))).toBeUndefined();
    expect(readings).toBe(1);
    now += 1000;
    for (const digit of '0123456789') expect(await reader.read(madeUp(digit))).toBeUndefined();
    expect(readings).toBe(2);
  });

  it('cause none when it is no key of ours that they name', async () => {
    for (const header of [
      { alg: 'ES256', typ: 'at+jwt' },
      { alg: 'ES256', typ: 'at+jwt', kid: 'somebody-else' },
      { alg: 'ES256', typ: 'dpop+jwt', kid: `key_${'0'.repeat(20)}` },
    ])
      expect(await reader.read(headed(header))).toBeUndefined();
    expect(readings).toBe(0);
  });

  it('are not called dead while nobody can look', async () => {
    gone = true;
    await expect(reader.read(madeUp('0'))).rejects.toThrow(StorageError);
  });
});

describe('a token that was signed here a moment ago', () => {
  /** Its own signature would not hold, so that who takes it has not verified it. */
  const unverifiable = async (): Promise<string> => `${(await jwt()).slice(0, -86)}${'A'.repeat(86)}`;
  beforeEach(async () => {
    await addKey('ES256', '1');
  });

  it('is known by its digest, from the first on that is asked about', async () => {
    const token = await unverifiable();
    reader.issued(token);
    expect(await reader.read(token)).toBeUndefined();
    await reader.read(await jwt());
    reader.issued(token);
    expect(await reader.read(token)).toMatchObject({ claims: { sub: 'payments' } });
  });

  it('is no longer itself with one character changed', async () => {
    await reader.read(await jwt());
    const token = await unverifiable();
    reader.issued(token);
    for (let at = 0; at < token.length; at++) {
      const other = `${token.slice(0, at)}${token[at] === 'x' ? 'y' : 'x'}${token.slice(at + 1)}`;
      expect(await reader.read(other)).toBeUndefined();
    }
  });

  it('ends with its key', async () => {
    await reader.read(await jwt());
    const token = await jwt();
    reader.issued(token);
    live = [];
    await maker.reload();
    now += 2000;
    expect(await reader.read(madeUp('7'))).toBeUndefined();
    expect(await reader.read(token)).toBeUndefined();
  });
});
