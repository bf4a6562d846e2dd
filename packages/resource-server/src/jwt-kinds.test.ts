// No kind of JWT passes for another: RFC 8725 §3.11, §3.12. One payload that has every member of every kind, one key; only
// `typ` says what it is.
import { generateKeyPairSync } from 'node:crypto';
import {
  accessTokenHash,
  checkDpopProof,
  clientAssertionMismatch,
  type Issuer,
  type JsonWebKey,
  parseClientAssertion,
  signJws,
} from '@countersign/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIENCE, startTinyIssuer, type TinyIssuer } from '../test/tiny-issuer.ts';
import { nodePlatform } from './platform/node.ts';
import type { PlatformKey } from './platform/platform.ts';
import { CutoffFollower } from './cutoff-feed.ts';
import { CutoffReceipt } from './cutoff-receipt.ts';
import { createVerifier } from './create-verifier.ts';
import type { Verifier } from './verifier.ts';

const NOW = 1_800_000_000;
const TYPES = [
  'at+jwt',
  'dpop+jwt',
  'client-authentication+jwt',
  'token-introspection+jwt',
  'cutoffs+jwt',
  'secevent+jwt',
  'logout+jwt',
  'statuslist+jwt',
  'txntoken+jwt',
  'wit+jwt',
  'oauth-client-attestation+jwt',
  'entity-statement+jwt',
  'JWT',
  undefined,
] as const;
type Typ = (typeof TYPES)[number];

/** Who reads which kind, and what else it may be called there. */
const READERS = {
  'access token': ['at+jwt'],
  'access token of an issuer without RFC 9068': ['at+jwt', 'JWT', undefined],
  'DPoP proof': ['dpop+jwt'],
  // RFC 10070: clients send the type, and servers do not insist on it.
  'client assertion': ['client-authentication+jwt', 'JWT', undefined],
  'cut-off feed': ['cutoffs+jwt'],
} as const satisfies Record<string, readonly Typ[]>;

describe('a JWT that could be of every kind', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' }) as unknown as JsonWebKey;
  const key = { kid: 'any', alg: 'ES256', keyObject: privateKey } as const;
  const url = `${AUDIENCE}/x`;
  let tiny: TinyIssuer;
  const verifiers: Verifier[] = [];

  beforeAll(async () => {
    tiny = await startTinyIssuer(() => NOW);
    tiny.jwks.keys.push({ ...jwk, kid: 'any', alg: 'ES256', use: 'sig' });
    for (const allowPlainJwt of [false, true])
      verifiers.push(
        createVerifier({
          issuers: [{ issuer: tiny.issuer, allowPlainJwt }],
          audience: AUDIENCE,
          clock: () => NOW,
          cutoffs: false,
        }),
      );
  });
  afterAll(async () => {
    for (const verifier of verifiers) await verifier.close();
    await tiny.close();
  });

  /** Issuer and client are one, as are the audiences: nothing but the type tells the kinds apart. */
  function made(typ: Typ): string {
    const claims = {
      iss: tiny.issuer,
      sub: tiny.issuer,
      client_id: 'payments',
      aud: AUDIENCE,
      scope: 'read',
      iat: NOW,
      exp: NOW + 60,
      jti: 'j',
      htm: 'POST',
      htu: url,
      ath: accessTokenHash('t'),
      from: 0,
      cursor: 0,
      entries: [],
      token_introspection: { active: true },
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      status_list: { bits: 1, lst: 'eNrbuRgAAhcBXQ' },
    };
    return signJws({ ...(typ === undefined ? {} : { typ }), jwk }, JSON.stringify(claims), key);
  }

  async function feedIsTaken(page: string): Promise<boolean> {
    const material = publicKey.export({ format: 'jwk' }) as PlatformKey['material'];
    const key = nodePlatform.importKey({ kid: 'any', alg: 'ES256', material }) as PlatformKey;
    const follower = new CutoffFollower({
      issuer: tiny.issuer as Issuer,
      keys: { find: () => Promise.resolve(key) },
      platform: nodePlatform,
      fetch: () => Promise.resolve(new Response(page)),
      clock: () => NOW,
      leeway: 5,
      staleAfter: 10,
      random: () => 0,
      receipt: new CutoffReceipt({
        instance: 'boot-1',
        audience: [AUDIENCE],
        staleAfter: 10,
        onStale: 'refuse',
        source: undefined,
      }),
      onAlarm: undefined,
    });
    follower.start();
    await follower.tried();
    follower.close();
    return !follower.isStale();
  }

  const TAKES: Record<keyof typeof READERS, (jwt: string) => boolean | Promise<boolean>> = {
    'access token': async (jwt) => (await verifiers[0]?.verify(jwt))?.ok === true,
    'access token of an issuer without RFC 9068': async (jwt) =>
      (await verifiers[1]?.verify(jwt))?.ok === true,
    'DPoP proof': (jwt) =>
      checkDpopProof(jwt, { method: 'POST', uris: [url], now: NOW, accessToken: 't' }).ok,
    'client assertion': (jwt) => {
      const assertion = parseClientAssertion(jwt);
      return assertion.ok && clientAssertionMismatch(assertion, [AUDIENCE], NOW) === undefined;
    },
    'cut-off feed': feedIsTaken,
  };

  for (const [reader, taken] of Object.entries(READERS))
    it.each(TYPES)(`is taken for a(n) ${reader} only when it says so: %s`, async (typ) => {
      const takes = TAKES[reader as keyof typeof READERS];
      expect(await takes(made(typ))).toBe((taken as readonly Typ[]).includes(typ));
    });
});
