import { SIGNING_ALGORITHMS } from '@countersign/admin-api';
import { parseCompactJws, parsePublicJwk, verifyJws } from '@countersign/protocol';
import { describe, expect, it } from 'vitest';
import { pooledRandom } from '../ids.ts';
import { withPreparedKeys } from '../keys/prepared-keys.ts';
import { KeyNotPrepared } from '../keys/signer.ts';
import { createSeal } from '../keys/seal.ts';
import { localSigner } from './local.ts';

const seal = createSeal(new Uint8Array(32).fill(7), pooledRandom());

describe.each(SIGNING_ALGORITHMS)('a key for %s', (alg) => {
  it('is made, sealed, opened and signs what its public half verifies', async () => {
    const signer = localSigner(seal);
    const made = await withPreparedKeys(() => signer.generate(alg, 'key_1'));
    const handle = signer.open(alg, 'key_1', made.sealedPrivateKey);
    const header = Buffer.from(JSON.stringify({ alg, typ: 'at+jwt', kid: 'key_1' })).toString('base64url');
    const input = `${header}.${Buffer.from('{"a":1}').toString('base64url')}`;
    const jws = parseCompactJws(`${input}.${handle.sign(input)}`);
    const key = parsePublicJwk({ ...made.publicJwk, alg, kid: 'key_1', use: 'sig' });
    expect(jws.ok && key.ok && verifyJws(jws, key.key)).toBe(true);
  });

  it('shows nothing but public members', async () => {
    const signer = localSigner(seal);
    const { publicJwk } = await withPreparedKeys(() => signer.generate(alg, 'key_1'));
    const members = {
      ES: ['crv', 'kty', 'x', 'y'],
      RS: ['e', 'kty', 'n'],
      PS: ['e', 'kty', 'n'],
      Ed: ['crv', 'kty', 'x'],
    };
    expect(Object.keys(publicJwk).sort()).toEqual(members[alg.slice(0, 2) as keyof typeof members]);
    if (publicJwk['kty'] === 'RSA')
      expect(Buffer.from(publicJwk['n'] as string, 'base64url')).toHaveLength(256);
  });
});

describe('RSA keys', () => {
  it('are never made where somebody waits: the first asker is told to come again', async () => {
    const signer = localSigner(seal);
    const begin = performance.now();
    await expect(signer.generate('RS256', 'key_1')).rejects.toThrow(KeyNotPrepared);
    expect(performance.now() - begin).toBeLessThan(50);
  });

  it('are given to nobody twice', async () => {
    const signer = localSigner(seal);
    const moduli = await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        withPreparedKeys(() => signer.generate('PS256', `key_${i}`)).then((made) => made.publicJwk['n']),
      ),
    );
    expect(new Set(moduli).size).toBe(5);
  }, 30_000);
});
