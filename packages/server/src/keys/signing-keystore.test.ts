import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { pooledRandom } from '../ids.ts';
import { localSigner } from '../signers/local.ts';
import type { SigningKeyRecord } from '../storage/signing-keys.ts';
import { createSeal } from './seal.ts';
import type { Signer } from './signer.ts';
import { createSigningKeystore, type SigningKeystore } from './signing-keystore.ts';

const NOW = Date.parse('2026-11-21T12:00:00.000Z');
const SECOND = NOW / 1000;
const random = pooledRandom();
const local = localSigner(createSeal(new Uint8Array(32).fill(7), random));

let live: SigningKeyRecord[];
let signer: Signer;
beforeEach(() => {
  live = [];
  signer = local;
});

async function addKey(kid: string, state: SigningKeyRecord['state']): Promise<SigningKeyRecord> {
  const record: SigningKeyRecord = {
    kid,
    alg: 'ES256',
    state,
    ...(await local.generate('ES256', kid)),
    createdAt: NOW,
    activeAt: NOW,
    retiringAt: undefined,
    removeAt: undefined,
    version: 1,
  };
  live.push(record);
  return record;
}
function setState(kid: string, state: SigningKeyRecord['state']): void {
  live = live.map((key) => (key.kid === kid ? { ...key, state } : key));
}
const open = (): Promise<SigningKeystore> =>
  createSigningKeystore({ keys: { live: async () => live }, signer, clock: { now: () => NOW } });

function payload(sub: string): string {
  return JSON.stringify({ iss: 'https://as.test', sub, name: 'ßx𝄞', iat: SECOND, exp: SECOND + 60 });
}
async function read(
  keystore: SigningKeystore,
  token: string,
): Promise<{ sub: unknown; kid: unknown; typ: unknown }> {
  const keys = createLocalJWKSet(keystore.jwks() as unknown as JSONWebKeySet);
  const { payload: claims, protectedHeader } = await jwtVerify(token, keys, { currentDate: new Date(NOW) });
  expect(claims['name']).toBe('ßx𝄞');
  return { sub: claims.sub, kid: protectedHeader.kid, typ: protectedHeader.typ };
}

describe('the keystore', () => {
  it('signs with the active key what others verify with the JWKS', async () => {
    await addKey('key_1', 'active');
    await addKey('key_2', 'next');
    const keystore = await open();
    const token = await keystore.sign('ES256', 'at+jwt', payload('payments'));
    expect(await read(keystore, token)).toEqual({ sub: 'payments', kid: 'key_1', typ: 'at+jwt' });
    const other = await keystore.sign('ES256', 'JWT', payload('payments'));
    expect(await read(keystore, other)).toEqual({ sub: 'payments', kid: 'key_1', typ: 'JWT' });
  });

  it('signs payloads of any length, whatever is in them', async () => {
    await addKey('key_1', 'active');
    const keystore = await open();
    for (const sub of ['', 'ß'.repeat(2700), '𝄞'.repeat(5000)]) {
      const token = await keystore.sign('ES256', 'at+jwt', payload(sub));
      expect(await read(keystore, token)).toMatchObject({ sub });
    }
  });

  it('publishes every key under which a token may stand, with nothing private in it', async () => {
    for (const state of ['next', 'active', 'retiring', 'compromised'] as const)
      await addKey(`key_${state}`, state);
    const keystore = await open();
    expect(keystore.jwks().keys.map((key) => key['kid'])).toEqual(['key_next', 'key_active', 'key_retiring']);
    for (const key of keystore.jwks().keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
      expect(key).toMatchObject({ alg: 'ES256', use: 'sig', kty: 'EC', crv: 'P-256' });
    }
    expect(keystore.verificationKey('key_retiring')).toMatchObject({ kid: 'key_retiring', alg: 'ES256' });
    expect(keystore.verificationKey('key_compromised')).toBeUndefined();
    expect(keystore.verificationKey('none')).toBeUndefined();
  });

  it('signs for nobody when it has no active key for the algorithm', async () => {
    await addKey('key_1', 'next');
    const keystore = await open();
    await expect(keystore.sign('ES256', 'at+jwt', '{}')).rejects.toThrow('no active signing key for ES256');
    await expect(keystore.sign('RS256', 'at+jwt', '{}')).rejects.toThrow('no active signing key for RS256');
  });

  it('signs with a key that is younger than its last reading', async () => {
    const keystore = await open();
    await addKey('key_1', 'active');
    expect(await keystore.sign('ES256', 'at+jwt', '{}')).toMatch(/^[^.]+\.[^.]+\.[^.]+$/);
  });

  it('gives each of many callers of one turn its own token', async () => {
    await addKey('key_1', 'active');
    const keystore = await open();
    const names = Array.from({ length: 200 }, (_, i) => `client-${i}`);
    const tokens = await Promise.all(names.map((name) => keystore.sign('ES256', 'at+jwt', payload(name))));
    expect(new Set(tokens).size).toBe(200);
    for (const [i, token] of tokens.entries()) {
      const claims = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()) as {
        sub: string;
      };
      expect(claims.sub).toBe(names[i]);
    }
    expect(await read(keystore, tokens[117] as string)).toMatchObject({ sub: 'client-117' });
  });

  it('makes all signatures of a turn before it answers the first caller', async () => {
    await addKey('key_1', 'active');
    const order: string[] = [];
    signer = {
      ...local,
      open: () => ({
        sign: (input) => {
          const text = Buffer.from(input.split('.')[1] as string, 'base64url').toString();
          order.push(`signs ${text}`);
          return 'AAAA';
        },
        signBytes: (bytes) => bytes,
      }),
    };
    const keystore = await open();
    const ask = (text: string): Promise<number> =>
      keystore.sign('ES256', 'at+jwt', text).then(() => order.push(`answers ${text}`));
    await Promise.all([ask('a'), ask('b')]);
    expect(order).toEqual(['signs a', 'signs b', 'answers a', 'answers b']);
  });

  it('lets one that cannot be signed fail alone', async () => {
    await addKey('key_1', 'active');
    signer = {
      ...local,
      open: (...key) => {
        const handle = local.open(...key);
        return {
          ...handle,
          sign: (input) => {
            if (input.includes(Buffer.from('bad').toString('base64url')))
              throw new Error('token refused by the module');
            // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error -- modules throw what they like
            if (input.includes(Buffer.from('odd').toString('base64url'))) throw 'odd';
            return handle.sign(input);
          },
        };
      },
    };
    const keystore = await open();
    const results = await Promise.allSettled(
      [payload('a'), 'bad', payload('b'), 'odd', payload('c')].map((text) =>
        keystore.sign('ES256', 'at+jwt', text),
      ),
    );
    expect(results.map((result) => result.status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(results[1]).toMatchObject({ reason: { message: 'token refused by the module' } });
    expect(results[3]).toMatchObject({ reason: { message: 'a signature failed', cause: 'odd' } });
    const last = results[4] as PromiseFulfilledResult<string>;
    expect(await read(keystore, last.value)).toMatchObject({ sub: 'c' });
  });
});

describe('keys that change', () => {
  it('are followed, and what was asked for before is signed with the key of then', async () => {
    await addKey('key_1', 'active');
    await addKey('key_2', 'next');
    const keystore = await open();
    const before = keystore.sign('ES256', 'at+jwt', payload('a'));
    setState('key_1', 'retiring');
    setState('key_2', 'active');
    await keystore.reload();
    const after = keystore.sign('ES256', 'at+jwt', payload('b'));
    expect(await read(keystore, await before)).toMatchObject({ sub: 'a', kid: 'key_1' });
    expect(await read(keystore, await after)).toMatchObject({ sub: 'b', kid: 'key_2' });
  });

  it('are opened once each', async () => {
    await addKey('key_1', 'active');
    let opened = 0;
    signer = {
      ...local,
      open: (...key) => {
        opened++;
        return local.open(...key);
      },
    };
    const keystore = await open();
    await keystore.reload();
    await keystore.reload();
    expect(opened).toBe(1);
  });

  it('leave everything as it was when they cannot be read or opened', async () => {
    await addKey('key_1', 'active');
    const keystore = await open();
    const good = live;
    live = [{ ...(good[0] as SigningKeyRecord), kid: 'key_x', sealedPrivateKey: 'v1.broken' }];
    await expect(keystore.reload()).rejects.toThrow('too short');
    expect(await read(keystore, await keystore.sign('ES256', 'at+jwt', payload('a')))).toMatchObject({
      kid: 'key_1',
    });
    live = good;
    await keystore.reload();
  });

  it('are those of the last change, also when an earlier reading ends later', async () => {
    await addKey('key_1', 'active');
    await addKey('key_2', 'next');
    const readings: ((keys: readonly SigningKeyRecord[]) => void)[] = [];
    let held = false;
    const keystore = await createSigningKeystore({
      keys: { live: () => (held ? new Promise((resolve) => readings.push(resolve)) : Promise.resolve(live)) },
      signer,
      clock: { now: () => NOW },
    });
    held = true;
    const early = keystore.reload();
    const asItWas = live;
    setState('key_1', 'compromised');
    setState('key_2', 'active');
    const late = keystore.reload();
    readings[1]?.(live);
    await late;
    readings[0]?.(asItWas);
    await early;
    expect(keystore.verificationKey('key_1')).toBeUndefined();
    expect(await read(keystore, await keystore.sign('ES256', 'at+jwt', payload('a')))).toMatchObject({
      kid: 'key_2',
    });
  });
});

describe('the local signer', () => {
  it('opens a private key under its own kid and algorithm only', async () => {
    const { sealedPrivateKey } = await local.generate('ES256', 'key_1');
    expect(local.open('ES256', 'key_1', sealedPrivateKey).sign('a.b')).toMatch(/^[A-Za-z0-9_-]{86}$/);
    expect(() => local.open('ES256', 'key_2', sealedPrivateKey)).toThrow('authenticate');
    expect(() => local.open('RS256', 'key_1', sealedPrivateKey)).toThrow('authenticate');
  });

  it('tells nothing of the private key in what it publishes or stores', async () => {
    const { publicJwk, sealedPrivateKey } = await local.generate('ES256', 'key_1');
    expect(Object.keys(publicJwk)).toEqual(['kty', 'crv', 'x', 'y']);
    expect(sealedPrivateKey).toMatch(/^v1\./);
    expect(local.publicKey(publicJwk).type).toBe('public');
  });
});
