// Which token is held, and the code for one that is not: RFC 9200 §5.10.1.1, in the order of priority that it gives.
import { generateKeyPairSync, sign } from 'node:crypto';
import { type AccessCwtClaims, draftSign1, encodeCbor, ES256, writeCwtClaims } from '@countersign/cose';
import type { FollowedIssuer, FollowedKey } from '@countersign/resource-server/followed-issuer';
import { describe, expect, it } from 'vitest';
import { CODE } from '../message/coap-message.ts';
import { FAULT_CODES } from './refusal.ts';
import { createTokenVerifier } from './token-verifier.ts';

const NOW = 1_800_000_000;
const ISSUER = 'https://auth.test';
const LOCK = 'coaps://lock.test';
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const KEY = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' };

const CLAIMS: AccessCwtClaims = {
  iss: ISSUER,
  sub: 'lamp',
  aud: LOCK,
  exp: NOW + 600,
  iat: NOW,
  cti: Buffer.from('one'),
  scope: 'lock:read',
  kid: Buffer.from('AAAAAAABAgMEBQYH'),
  crd: 'c',
  acs: 'a',
};

function tokenOf(change: Partial<AccessCwtClaims> = {}, alg = ES256, kid = 'k1'): Uint8Array {
  const draft = draftSign1(alg, kid, writeCwtClaims({ ...CLAIMS, ...change }));
  return draft.finish(sign('sha256', draft.toBeSigned, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
}

function verify(token: Uint8Array): ReturnType<ReturnType<typeof createTokenVerifier>['verify']> {
  const issuer: FollowedIssuer = {
    issuer: ISSUER,
    orders: undefined,
    ready: () => Promise.resolve(),
    findKey: (kid) =>
      Promise.resolve(kid === 'k1' ? ({ material: KEY } as unknown as FollowedKey) : 'unknown'),
    fallen: () => undefined,
    feed: () => undefined,
    close: () => undefined,
  };
  const verifier = createTokenVerifier({
    issuer,
    audience: LOCK,
    derivationKeys: { find: () => Promise.resolve({ kid: 's1', key: new Uint8Array(32) }) },
    knowsScope: (scope) => scope === 'lock:read',
    clock: () => NOW,
    leeway: 5,
  });
  return verifier.verify(token);
}

async function codeOf(token: Uint8Array): Promise<number | undefined> {
  const result = await verify(token);
  return typeof result === 'string' ? FAULT_CODES[result] : undefined;
}

it('a good token is held with its key', async () => {
  expect(await verify(tokenOf())).toMatchObject({
    claims: { sub: 'lamp', scope: 'lock:read' },
    kids: ['k1', 's1'],
  });
});

describe('a token is refused', () => {
  it.each([
    ['that is over', { exp: NOW }, CODE.unauthorized],
    ['of another authority', { iss: 'https://other.test' }, CODE.unauthorized],
    ['for another audience', { aud: 'coaps://other.test' }, CODE.forbidden],
    ['with scopes that mean nothing here', { scope: 'other' }, CODE.badRequest],
    // The order of priority: iss, exp, aud, scope.
    ['of another authority, for another audience', { iss: 'https://o.test', aud: 'x' }, CODE.unauthorized],
    ['that is over, for another audience', { exp: NOW - 1, aud: 'x' }, CODE.unauthorized],
    ['that is over, with scopes that mean nothing', { exp: NOW - 1, scope: 'other' }, CODE.unauthorized],
    ['for another audience, with scopes that mean nothing', { aud: 'x', scope: 'other' }, CODE.forbidden],
  ] as [string, Partial<AccessCwtClaims>, number][])('%s', async (_, change, code) => {
    expect(await codeOf(tokenOf(change))).toBe(code);
  });

  it('whose protection fails, with 4.01: forged, by a key or with an algorithm that is not known', async () => {
    const forged = Uint8Array.from(tokenOf());
    forged[forged.length - 1] = (forged.at(-1) as number) ^ 1;
    expect(await codeOf(forged)).toBe(CODE.unauthorized);
    expect(await codeOf(tokenOf({}, ES256, 'k2'))).toBe(CODE.unauthorized);
    expect(await codeOf(tokenOf({}, -35))).toBe(CODE.unauthorized);
    // A COSE_Mac0 is a token all the same, of a kind that nothing here makes.
    const mac = Buffer.concat([
      Buffer.of(0xd1),
      encodeCbor([encodeCbor(new Map([[1, 5]])), new Map(), new Uint8Array(3), new Uint8Array(32)]),
    ]);
    expect(await codeOf(mac)).toBe(CODE.unauthorized);
  });

  it('that cannot be read, with 4.00', async () => {
    expect(await codeOf(Buffer.from('no token'))).toBe(CODE.badRequest);
    const draft = draftSign1(ES256, 'k1', encodeCbor(new Map([[1, ISSUER]])));
    const poor = draft.finish(
      sign('sha256', draft.toBeSigned, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
    );
    expect(await codeOf(poor)).toBe(CODE.badRequest);
  });
});
