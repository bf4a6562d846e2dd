// Asking about a CBOR Web Token and revoking it: RFC 7662 and RFC 7009 by its base64url, RFC 9200 §5.9 in CBOR.
import { ACE, type CborMap, type CborValue, decodeStrict, encodeCbor } from '@countersign/cose';
import { formatBasicCredentials } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
import type { HttpResponse } from '../../http/response.ts';
import type { CutoffKind } from '../../storage/cutoffs.ts';

let scene: TokenScene;
beforeEach(async () => {
  scene = await openTokenScene();
  const token = { ...scene.server.token, format: 'cwt' as const };
  await scene.storage.resourceServers.replace(changed(scene.server, { token }));
});
afterEach(() => scene.close());

const SECOND = Math.floor(NOW / 1000);

async function issued(): Promise<{ readonly token: Uint8Array; readonly kid: Uint8Array }> {
  const answer = await scene.ask('', { contentType: 'application/ace+cbor', body: encodeCbor(new Map()) });
  const map = cborOf(answer);
  const key = (map.get(ACE.cnf) as CborMap).get(1) as CborMap;
  return { token: map.get(ACE.accessToken) as Uint8Array, kid: key.get(2) as Uint8Array };
}

function cborOf(answer: HttpResponse): CborMap {
  expect(answer.headers['content-type']).toBe('application/ace+cbor');
  expect(answer.headers['cache-control']).toBe('no-store');
  const read = decodeStrict(answer.body as Uint8Array, { maxBytes: 4096, maxDepth: 6 });
  if (!read.ok) throw new Error(read.fault);
  return read.value as CborMap;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const introspect = (token: string): Promise<HttpResponse> => scene.about('/oauth/introspect', token);
const inCbor = (
  members: [number, CborValue][],
  authorization = formatBasicCredentials('payments', scene.secret),
) =>
  scene.call('/oauth/introspect', {
    body: encodeCbor(new Map(members)),
    rawHeaders: ['Authorization', authorization, 'Content-Type', 'application/ace+cbor'],
  });

describe('a live CBOR Web Token', () => {
  it('is told by its base64url, with its claims as JSON writes them', async () => {
    const { token, kid } = await issued();
    expect(jsonOf(await introspect(text(token)))).toEqual({
      active: true,
      token_type: 'PoP',
      iss: ISSUER,
      sub: 'payments',
      client_id: 'payments',
      aud: FRAUD,
      iat: SECOND,
      exp: SECOND + 600,
      jti: scene.log.events[0]?.['jti'],
      scope: 'fraud:read fraud:write',
      crd: scene.credential.id,
      acs: scene.access.id,
      cnf: { kid: Buffer.from(kid).toString() },
    });
  });

  it('is told in CBOR to who asks in CBOR (RFC 9200 §5.9.2)', async () => {
    const { token, kid } = await issued();
    const answer = await inCbor([[11, token]]);
    expect(answer.status).toBe(201);
    expect(cborOf(answer)).toEqual(
      new Map<number | string, CborValue>(
        [
          [10, true],
          [1, ISSUER],
          [2, 'payments'],
          [3, FRAUD],
          [4, SECOND + 600],
          [6, SECOND],
          [7, Uint8Array.from(Buffer.from(String(scene.log.events[0]?.['jti']), 'base64url'))],
          [8, new Map([[3, Uint8Array.from(kid)]])],
          [9, 'fraud:read fraud:write'],
          [24, 'payments'],
          [34, 2],
          [38, 1],
          ['crd', scene.credential.id],
          ['acs', scene.access.id],
        ].map(
          ([key, value]) =>
            [key, value instanceof Buffer ? new Uint8Array(value) : value] as [number | string, CborValue],
        ),
      ),
    );
  });

  it('shows no scope that has been taken away since', async () => {
    const { token } = await issued();
    await scene.storage.access.replace(changed(scene.access, { scopes: ['fraud:read'] }));
    expect(cborOf(await inCbor([[11, token]])).get(9)).toBe('fraud:read');
  });

  it('is revoked by its client, and dead then', async () => {
    const { token } = await issued();
    expect((await scene.about('/oauth/revoke', text(token))).status).toBe(200);
    expect(jsonOf(await introspect(text(token)))).toEqual({ active: false });
    expect(cborOf(await inCbor([[11, token]]))).toEqual(new Map([[10, false]]));
    expect(jsonOf(await introspect(text((await issued()).token))).active).toBe(true);
  });

  it('cannot be exchanged: nobody proves its key at the token endpoint', async () => {
    const { token } = await issued();
    const grant = 'urn:ietf:params:oauth:grant-type:token-exchange';
    const type = 'urn:ietf:params:oauth:token-type:access_token';
    const body = new URLSearchParams({
      grant_type: grant,
      subject_token: text(token),
      subject_token_type: type,
    });
    const answer = await scene.ask('', { body: String(body) });
    expect(answer.status).toBe(400);
  });
});

describe('what is no live token is {10: false} and {"active":false}', () => {
  const dead = async (token: Uint8Array): Promise<void> => {
    expect(jsonOf(await introspect(text(token)))).toEqual({ active: false });
    expect(cborOf(await inCbor([[11, token]]))).toEqual(new Map([[10, false]]));
  };

  it.each<[string, CutoffKind, () => string]>([
    ['itself', 'token', () => String(scene.log.events[0]?.['jti'])],
    ['with its credential', 'credential', () => scene.credential.id],
    ['with its identity', 'identity', () => 'payments'],
  ])('cut off %s', async (_, kind, target) => {
    const { token } = await issued();
    await scene.storage.transaction((stores) =>
      orderCutoff(scene.deps, stores, { kind, target: target(), reason: 'leak', orderedBy: 'admin' }),
    );
    await dead(token);
  });

  it('over, forged, cut, or something else', async () => {
    const { token } = await issued();
    for (const at of [0, 1, 20, token.length - 1]) {
      const forged = Uint8Array.from(token);
      forged[at] = (forged[at] as number) ^ 1;
      await dead(forged);
    }
    for (let length = 1; length < token.length; length += 23) await dead(token.subarray(0, length));
    await dead(encodeCbor([1, 2, 3]));
    scene.clock.set(NOW + 601_000);
    await dead(token);
    expect(scene.bugs).toEqual([]);
  });
});

describe('a question in CBOR', () => {
  it('has its client in the body or in a header, and a token as text too', async () => {
    const { token } = await issued();
    const body = encodeCbor(
      new Map<number, CborValue>([
        [11, text(token)],
        [24, 'payments'],
        [25, Buffer.from(scene.secret)],
      ]),
    );
    const rawHeaders = ['Content-Type', 'application/ace+cbor'];
    expect(cborOf(await scene.call('/oauth/introspect', { body, rawHeaders })).get(10)).toBe(true);
  });

  it.each<[string, [number, CborValue][], string | undefined, number, number]>([
    ['without a token', [], undefined, 400, 1],
    ['with a number for one', [[11, 7]], undefined, 400, 1],
    ['with an empty one', [[11, new Uint8Array(0)]], undefined, 400, 1],
    ['of nobody', [[11, 'x']], formatBasicCredentials('payments', 'csk_x'), 401, 2],
  ])('%s is refused with its number', async (_, members, authorization, status, error) => {
    const answer = await inCbor(members, authorization);
    expect([answer.status, cborOf(answer).get(ACE.error)]).toEqual([status, error]);
  });
});
