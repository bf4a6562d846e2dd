// Attacks that other libraries fell for, by the names under which they were published; RFC 8725 §2, §3.
import { createHmac, createPublicKey, generateKeyPairSync, type JsonWebKey as NodeJwk } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIENCE, startTinyIssuer, type TinyIssuer } from '../test/tiny-issuer.ts';
import { createVerifier } from './create-verifier.ts';
import type { Verifier } from './verifier.ts';

const NOW = 1_800_000_000;

describe('a verifier', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
  const rsaJwk = { ...rsa.export({ format: 'jwk' }), kid: 'rsa', use: 'sig' };
  let tiny: TinyIssuer;
  let verifier: Verifier;
  let good: readonly [header: string, payload: string, signature: string];

  beforeAll(async () => {
    tiny = await startTinyIssuer(() => NOW);
    // published without alg, as many issuers do
    tiny.jwks.keys.push(rsaJwk);
    verifier = createVerifier({ issuer: tiny.issuer, audience: AUDIENCE, clock: () => NOW, cutoffs: false });
    await verifier.ready();
    good = tiny.token().split('.') as [string, string, string];
  });
  afterAll(async () => {
    await verifier.close();
    await tiny.close();
  });

  const encoded = (value: object | string): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  async function taken(token: string): Promise<boolean> {
    return (await verifier.verify(token)).ok;
  }
  /** The claims of a good token, authenticated by HMAC with this text. */
  function hmac(secret: string, header: object = {}): string {
    const input = `${encoded({ typ: 'at+jwt', alg: 'HS256', kid: 'rsa', ...header })}.${good[1]}`;
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  }
  const pem = (key: NodeJwk | undefined): string =>
    createPublicKey({ key: key as NodeJwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }) as string;
  const published = (): NodeJwk => tiny.jwks.keys[0] as NodeJwk;

  it('takes the token that the attacks are made of', async () => {
    expect(await taken(good.join('.'))).toBe(true);
  });

  it('CVE-2026-22817: a key without alg is for no algorithm that the token chooses', async () => {
    for (const alg of ['RS256', 'RS384', 'PS256', 'HS256', 'none'])
      expect(await taken(`${encoded({ typ: 'at+jwt', alg, kid: 'rsa' })}.${good[1]}.${good[2]}`)).toBe(false);
    expect(await taken(hmac(pem(rsaJwk)))).toBe(false);
  });

  it('CVE-2026-22818: HS256 is no default, and no public key is its secret', async () => {
    for (const kid of ['k1', 'rsa', undefined])
      for (const secret of ['', pem(published()), rsa.export({ type: 'pkcs1', format: 'pem' }) as string])
        expect(await taken(hmac(secret, { kid }))).toBe(false);
  });

  it('CVE-2026-48526: the text of a JWK is no secret', async () => {
    const { kid: _, use: __, ...bare } = published() as NodeJwk & { kid: string; use: string };
    for (const text of [published(), bare, { keys: tiny.jwks.keys }].map((each) => JSON.stringify(each)))
      for (const kid of ['k1', 'rsa']) expect(await taken(hmac(text, { kid }))).toBe(false);
  });

  it('GHSA-mvf2-f6gm-w987: a PEM with blanks before it is no secret either', async () => {
    for (const blank of ['\n', ' ', '\t', '\r\n'])
      expect(await taken(hmac(`${blank}${pem(published())}`, { kid: 'k1' }))).toBe(false);
  });

  it('GHSA-jc38-x7x8-2xc8: nothing is believed of an unprotected header', async () => {
    const [header, payload, signature] = good;
    const unprotected = { header: { alg: 'none', kid: 'k1' }, payload, signature: '' };
    const flattened = { protected: header, header: { alg: 'HS256' }, payload, signature };
    const general = { payload, signatures: [{ protected: header, signature }] };
    for (const json of [unprotected, flattened, general])
      expect(await taken(JSON.stringify(json))).toBe(false);
    const noAlg = encoded({ typ: 'at+jwt', kid: 'k1' });
    expect(await taken(`${noAlg}.${payload}.${signature}`)).toBe(false);
  });

  it('CVE-2023-51774: a JWE does not pass for a JWS', async () => {
    const [header, payload, signature] = good;
    const encrypted = encoded({ typ: 'at+jwt', alg: 'dir', enc: 'A256GCM', kid: 'k1' });
    for (const token of [
      `${encrypted}.${payload}.${signature}`,
      `${encrypted}..${payload}.${signature}.AAAA`,
      `${encoded({ typ: 'at+jwt', alg: 'ES256', enc: 'A256GCM', kid: 'k1' })}.${payload}.${signature}`,
      `${header}.${payload}.${signature}.AAAA.AAAA`,
    ])
      expect(await taken(token)).toBe(false);
  });

  it('CVE-2022-21449: a signature of zeros, or of the order of the curve, is none', async () => {
    const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
    const one = Buffer.alloc(32);
    one[31] = 1;
    const zero = Buffer.alloc(32);
    for (const [r, s] of [
      [zero, zero],
      [order, order],
      [one, zero],
      [zero, one],
      [order, one],
    ] as const)
      expect(await taken(`${good[0]}.${good[1]}.${Buffer.concat([r, s]).toString('base64url')}`)).toBe(false);
  });
});
