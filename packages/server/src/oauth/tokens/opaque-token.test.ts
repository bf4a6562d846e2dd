// Opaque tokens (RFC 6749 §1.4): sealed, never stored, and nobody else's to make.
import { createHmac } from 'node:crypto';
import { OPAQUE_TOKEN_PREFIX } from '@countersign/protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addExchange, claimsOf, LEDGER } from '../../../test/exchange-scene.ts';
import {
  changed,
  FRAUD,
  ISSUER,
  jsonOf,
  NOW,
  openTokenScene,
  type TokenScene,
} from '../../../test/token-scene.ts';
import { orderCutoff } from '../../cutoff/order.ts';
import { pooledRandom } from '../../ids.ts';
import type { SealingKey } from '../../keys/keystore.ts';
import { JTI_BYTES, openOpaqueToken, sealOpaqueToken } from './opaque-token.ts';

const random = pooledRandom();
function sealingKey(kid: string, tag: number): SealingKey {
  return { kid, tag, derive: (purpose) => createHmac('sha256', kid).update(purpose).digest() };
}
const KEY = sealingKey('key_1', 7);
const KEYS = { openingKey: (tag: number) => (tag === KEY.tag ? KEY : undefined) };
const seal = (text: string): string => sealOpaqueToken(KEY, ISSUER, random(JTI_BYTES), text);
const open = (token: string, issuer: string = ISSUER) => openOpaqueToken(KEYS, issuer, token);

describe('an opaque token', () => {
  it('opens to what was sealed, and never looks the same twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const token = seal(text);
        expect(token).toMatch(/^cot_[A-Za-z0-9_-]+$/);
        expect(open(token)).toMatchObject({ kid: 'key_1', text: Buffer.from(text).toString() });
        expect(seal(text)).not.toBe(token);
      }),
    );
  });

  it('with any bit changed, cut or lengthened is none', () => {
    const token = seal('["payments"]');
    const bytes = Buffer.from(token.slice(OPAQUE_TOKEN_PREFIX.length), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const other = Buffer.from(bytes);
      other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(open(OPAQUE_TOKEN_PREFIX + other.toString('base64url'))).toBe(
        bit < 32 ? 'unknown_key' : undefined,
      );
    }
    for (let length = 0; length < bytes.length; length++)
      expect(open(OPAQUE_TOKEN_PREFIX + bytes.subarray(0, length).toString('base64url'))).toBeUndefined();
    for (const tail of ['=', 'A', 'AA', 'AAAA', ' ']) expect(open(token + tail)).toBeUndefined();
  });

  it('has one spelling', () => {
    const token = seal('x');
    const last = token.at(-1) as string;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const others = alphabet.split('').filter((character) => character !== last);
    for (const character of others) expect(open(token.slice(0, -1) + character)).toBeUndefined();
  });

  it('of another issuer, or of a key that is not kept, is none', () => {
    expect(open(seal('x'), 'https://other.test')).toBeUndefined();
    const foreign = sealOpaqueToken(sealingKey('key_2', 7), ISSUER, random(JTI_BYTES), 'x');
    expect(open(foreign)).toBeUndefined();
    expect(open(sealOpaqueToken(sealingKey('key_1', 8), ISSUER, random(JTI_BYTES), 'x'))).toBe('unknown_key');
  });

  it('is none whatever else is shown', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(open(OPAQUE_TOKEN_PREFIX + text)).toSatisfy((found) => typeof found !== 'object');
      }),
    );
  });
});

describe('at a resource server with opaque tokens', () => {
  let scene: TokenScene;
  beforeEach(async () => {
    scene = await openTokenScene();
    const token = { ...scene.server.token, format: 'opaque' as const };
    await scene.storage.resourceServers.replace(changed(scene.server, { token }));
  });
  afterEach(() => scene.close());
  const introspect = async (token: string) => jsonOf(await scene.about('/oauth/introspect', token));

  it('a client gets one, which tells nothing of itself and is short', async () => {
    const answer = jsonOf(await scene.ask());
    expect(answer).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'fraud:read fraud:write' });
    expect(answer.access_token).toMatch(/^cot_[A-Za-z0-9_-]{100,260}$/);
    expect(Buffer.from(answer.access_token.slice(4), 'base64url').toString('latin1')).not.toContain(
      'payments',
    );
    expect(scene.log.events[0]).toMatchObject({
      type: 'token.issued',
      scopes_held: 'fraud:read fraud:write',
    });
  });

  it('introspection says what a JWT would have said', async () => {
    const { access_token: token } = jsonOf(await scene.ask());
    expect(await introspect(token)).toEqual({
      active: true,
      token_type: 'Bearer',
      iss: ISSUER,
      aud: FRAUD,
      sub: 'payments',
      client_id: 'payments',
      crd: scene.credential.id,
      acs: scene.access.id,
      scope: 'fraud:read fraud:write',
      iat: Math.floor(NOW / 1000),
      exp: Math.floor(NOW / 1000) + 600,
      jti: scene.log.events[0]?.jti,
    });
  });

  it('it ends in time, by revocation and by a cut-off, remembered or not', async () => {
    const { access_token: first } = jsonOf(await scene.ask());
    expect(await introspect(first)).toMatchObject({ active: true });
    expect((await scene.about('/oauth/revoke', first)).status).toBe(200);
    expect(await introspect(first)).toEqual({ active: false });

    scene.clock.set(NOW + 2000);
    const { access_token: second } = jsonOf(await scene.ask());
    await scene.storage.transaction((stores) =>
      orderCutoff(scene.deps, stores, {
        kind: 'credential',
        target: scene.credential.id,
        reason: 'leak',
        orderedBy: 'admin',
      }),
    );
    expect(await introspect(second)).toEqual({ active: false });

    scene.clock.set(NOW + 4000);
    const { access_token: third } = jsonOf(await scene.ask());
    scene.clock.set(NOW + 604_000);
    expect(await introspect(third)).toEqual({ active: false });
  });

  it('it ends at once with a key that is compromised', async () => {
    const { access_token: token } = jsonOf(await scene.ask());
    expect(await introspect(token)).toMatchObject({ active: true });
    for (const key of await scene.storage.signingKeys.live()) {
      if (key.alg !== 'HS256' || key.state !== 'active') continue;
      await scene.storage.signingKeys.replace({ ...key, state: 'compromised', version: key.version + 1 });
    }
    await (scene.deps.keystore as unknown as { reload(): Promise<void> }).reload();
    expect(await introspect(token)).toEqual({ active: false });
    // None is active until one is made, and a token is not issued under nothing.
    expect(await scene.ask()).toMatchObject({ status: 500 });
  });

  it('its key is in no JWKS', async () => {
    const { keys } = jsonOf(await scene.call('/oauth/jwks'));
    expect(keys.map((key: { alg: string }) => key.alg)).toEqual(['ES256', 'ES256']);
  });

  it('it can be exchanged, and be what comes of an exchange', async () => {
    const fresh = await openTokenScene();
    const exch = await addExchange(fresh);
    const opaque = { ...exch.ledger.token, format: 'opaque' as const };
    await fresh.storage.resourceServers.replace(changed(exch.ledger, { token: opaque }));
    await fresh.storage.resourceServers.replace(changed(exch.fraud, { token: opaque }));
    const subject = await exch.subjectToken();
    expect(subject).toMatch(/^cot_/);
    const { access_token: token } = jsonOf(await exch.exchange(subject));
    expect(token).toMatch(/^cot_/);
    const told = jsonOf(await fresh.about('/oauth/introspect', token, exch.api.authorization));
    expect(told).toMatchObject({ active: true, aud: LEDGER, sub: 'payments', act: { sub: 'fraud-api' } });
    const jwt = 'urn:ietf:params:oauth:token-type:jwt';
    expect(jsonOf(await exch.exchange(subject, { requested_token_type: jwt }))).toMatchObject({
      error: 'invalid_request',
    });
    await fresh.close();
  });

  it('a JWT with such a key for its signature is no token', async () => {
    const live = await scene.storage.signingKeys.live();
    const kid = live.find(({ alg }) => alg === 'HS256')?.kid;
    // Asked for as a JWT, so that there are claims to take.
    const jwt = changed(scene.server, { version: 3 });
    await scene.storage.resourceServers.replace(jwt);
    const claims = claimsOf(jsonOf(await scene.ask()).access_token);
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const input = `${part({ alg: 'HS256', typ: 'at+jwt', kid })}.${part(claims)}`;
    expect(await introspect(`${input}.${'A'.repeat(43)}`)).toEqual({ active: false });
  });
});
