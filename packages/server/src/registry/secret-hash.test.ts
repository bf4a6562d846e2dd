import { createHmac } from 'node:crypto';
import { generateSecret } from '@countersign/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pooledRandom } from '../ids.ts';
import { changed, credentialRecord } from '../storage/contract/records.ts';
import type { CredentialRecord } from '../storage/credentials.ts';
import { createSecretHash } from './secret-hash.ts';

const KEY = new Uint8Array(32).fill(3);
const random = pooledRandom();
const newSecret = (): string => generateSecret('csk', random).secret;

function credential(secret: string, key = KEY): CredentialRecord {
  const digest = createSecretHash(key).digest(secret);
  return credentialRecord('idn_1', { material: { type: 'client_secret', publicId: 'x', digest } });
}

/** Near misses of a secret: what a careless comparison would let through. */
function near(secret: string): string[] {
  return [
    '',
    secret.slice(1),
    secret.slice(0, -1),
    `${secret} `,
    ` ${secret}`,
    `${secret}\0`,
    `\0${secret}`,
    `${secret}\n`,
    `${secret}${secret}`,
    secret.toUpperCase(),
    secret.toLowerCase(),
    secret.replace('csk_', 'cak_'),
    secret.replaceAll('_', '-'),
    secret.slice(0, 10) + secret.slice(10).split('').reverse().join(''),
    secret.replace(/[!-~]/g, (char) => String.fromCodePoint(char.charCodeAt(0) + 0xfee0)),
    `${secret}\u0301`,
    `${secret}\ud800`,
    secret.padEnd(513, 'x'),
  ];
}

describe('the digest of a secret', () => {
  it('is HMAC-SHA-256 under the key, so that the database alone gives no way to test a guess', () => {
    const secret = newSecret();
    const expected = createHmac('sha256', KEY).update(secret).digest('base64url');
    expect(createSecretHash(KEY).digest(secret)).toBe(expected);
    expect(createSecretHash(new Uint8Array(32)).digest(secret)).not.toBe(expected);
  });
});

describe('a secret', () => {
  it('matches the credential that has its digest, the first time and every further one', () => {
    const hash = createSecretHash(KEY);
    const secrets = [newSecret(), newSecret(), newSecret()];
    const credentials = secrets.map((secret) => credential(secret));
    for (let round = 0; round < 3; round++) {
      for (const [i, secret] of secrets.entries())
        expect(hash.match(secret, credentials)).toBe(credentials[i]);
    }
  });

  it('matches in whatever state its credential is: judging that is another step', () => {
    const hash = createSecretHash(KEY);
    const secret = newSecret();
    const revoked = { ...credential(secret), state: 'revoked' as const };
    expect(hash.match(secret, [revoked])).toBe(revoked);
    expect(hash.match(secret, [revoked])).toBe(revoked);
  });

  it('matches nothing when it is only near, whether or not the right one was seen before', () => {
    const secret = newSecret();
    const credentials = [credential(secret)];
    for (const seen of [false, true]) {
      const hash = createSecretHash(KEY);
      if (seen) expect(hash.match(secret, credentials)).toBe(credentials[0]);
      for (const other of near(secret))
        expect(hash.match(other, credentials), JSON.stringify(other)).toBeUndefined();
      expect(hash.match(secret, credentials)).toBe(credentials[0]);
    }
  });

  it('matches nothing where there is nothing', () => {
    const hash = createSecretHash(KEY);
    expect(hash.match(newSecret(), [])).toBeUndefined();
    expect(hash.match('', [])).toBeUndefined();
    expect(hash.match('', [credential(newSecret())])).toBeUndefined();
  });

  it('matches no credential of another kind, and none whose digest is broken', () => {
    const hash = createSecretHash(KEY);
    const secret = newSecret();
    const digest = hash.digest(secret);
    const others: CredentialRecord['material'][] = [
      { type: 'api_key', publicId: 'x', digest },
      { type: 'client_secret', publicId: 'x', digest: '' },
      { type: 'client_secret', publicId: 'x', digest: digest.slice(0, -2) },
      { type: 'client_secret', publicId: 'x', digest: `${digest}AA` },
      { type: 'client_secret', publicId: 'x', digest: Buffer.alloc(32).toString('base64url') },
    ];
    const credentials = others.map((material) => credentialRecord('idn_1', { material }));
    expect(hash.match(secret, credentials)).toBeUndefined();
  });

  it('matches no more by memory once its record was replaced', () => {
    const hash = createSecretHash(KEY);
    const [old, fresh] = [newSecret(), newSecret()];
    const before = credential(old);
    expect(hash.match(old, [before])).toBe(before);
    const revoked = changed(before, { state: 'revoked' });
    expect(hash.match(old, [revoked])).toBe(revoked);
    const replaced = changed(before, { material: credential(fresh).material });
    expect(hash.match(old, [replaced])).toBeUndefined();
    expect(hash.match(fresh, [replaced])).toBe(replaced);
    expect(hash.match(old, [replaced])).toBeUndefined();
  });

  it('gives what a comparison of digests gives, in whatever order things are asked (property)', () => {
    const secrets = Array.from({ length: 4 }, newSecret);
    const credentials = secrets.map((secret) => credential(secret));
    const slow = createSecretHash(KEY);
    const quick = createSecretHash(KEY);
    const which = fc.integer({ min: 0, max: 3 });
    const ask = fc.record({
      secret: fc.oneof(
        which.map((i) => secrets[i] as string),
        fc.constantFrom(...near(secrets[0] as string)),
        fc.string({ unit: 'binary' }),
      ),
      held: fc.uniqueArray(which),
    });
    fc.assert(
      fc.property(fc.array(ask), (asks) => {
        for (const { secret, held } of asks) {
          const candidates = held.map((i) => credentials[i] as CredentialRecord);
          const digest = slow.digest(secret);
          const expected = candidates.find((each) => (each.material as { digest: string }).digest === digest);
          expect(quick.match(secret, candidates)).toBe(expected);
        }
      }),
    );
  });
});
