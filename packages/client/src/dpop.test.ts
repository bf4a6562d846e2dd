// A client that proves possession of its key: RFC 9449 §4.2, §5, §7.1, §8, §9. jose reads the proofs.
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import * as jose from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkDpopProof } from '@countersign/protocol';
import { clientScene, NOW } from '../test/client-scene.ts';
import { listen } from '../test/tiny-authority.ts';
import type { Client } from './client.ts';
import { createDpopProver, type DpopKey } from './dpop.ts';
import { ClientOptionError, TokenError } from './errors.ts';

const scene = clientScene();
let client: Client;
beforeEach(() => {
  scene.tiny.tokenType = 'DPoP';
  client = scene.withSecret({ dpop: true });
});

/** What jose reads in a proof, its signature checked with the key it brings. */
async function read(proof: unknown) {
  const { payload, protectedHeader } = await jose.jwtVerify(String(proof), jose.EmbeddedJWK, {
    typ: 'dpop+jwt',
    currentDate: new Date(NOW * 1000),
  });
  return { payload, header: protectedHeader, jkt: await jose.calculateJwkThumbprint(protectedHeader.jwk!) };
}

describe('a token request', () => {
  it('brings a proof for the token endpoint, and the token is used with the same key', async () => {
    const token = await client.token();
    expect(token.tokenType).toBe('DPoP');
    const { payload, header } = await read(scene.tiny.calls[0]!.headers['dpop']);
    expect(payload).toEqual({
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      htm: 'POST',
      htu: `${scene.tiny.issuer}/oauth/token`,
      iat: NOW,
    });
    expect(header).toEqual({ alg: 'ES256', typ: 'dpop+jwt', jwk: expect.anything() });
    expect(Object.keys(header.jwk!).sort()).toEqual(['crv', 'kty', 'x', 'y']);
  });

  it('is made once more with the nonce that a refusal brings, and later ones begin with it', async () => {
    scene.tiny.next.push({ status: 400, headers: { 'dpop-nonce': 'n1' }, body: { error: 'use_dpop_nonce' } });
    await client.token();
    await client.token({ scope: 'other' });
    const proofs = await Promise.all(scene.tiny.calls.map(({ headers }) => read(headers['dpop'])));
    expect(proofs.map(({ payload }) => payload['nonce'])).toEqual([undefined, 'n1', 'n1']);
    expect(new Set(proofs.map(({ payload }) => payload.jti)).size).toBe(3);
    expect(new Set(proofs.map(({ jkt }) => jkt)).size).toBe(1);
  });

  it('is made twice and no more', async () => {
    for (const nonce of ['n1', 'n2', 'n3']) {
      scene.tiny.next.push({
        status: 400,
        headers: { 'dpop-nonce': nonce },
        body: { error: 'use_dpop_nonce' },
      });
    }
    const error: unknown = await client.token().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'refused', error: 'use_dpop_nonce' });
    expect(scene.tiny.calls).toHaveLength(2);
  });

  it('is not repeated without a nonce to repeat it with', async () => {
    scene.tiny.next.push({ status: 400, body: { error: 'use_dpop_nonce' } });
    await expect(client.token()).rejects.toBeInstanceOf(TokenError);
    expect(scene.tiny.calls).toHaveLength(1);
  });

  it('answered with an unbound token gives none', async () => {
    scene.tiny.tokenType = 'Bearer';
    await expect(client.token()).rejects.toMatchObject({ code: 'bad_response' });
  });

  it('of a client without a key brings no proof, and a bound token is none for it', async () => {
    const bearer = scene.withSecret({});
    await expect(bearer.token()).rejects.toMatchObject({ code: 'bad_response' });
    expect(scene.tiny.calls[0]!.headers['dpop']).toBeUndefined();
  });

  it('of each client has a key of its own', async () => {
    await client.token();
    await scene.withSecret({ dpop: true }).token();
    const [one, other] = await Promise.all(scene.tiny.calls.map(({ headers }) => read(headers['dpop'])));
    expect(one!.jkt).not.toBe(other!.jkt);
  });
});

describe('a call', () => {
  let api: { base: string; close(): Promise<void> };
  const calls: IncomingMessage[] = [];
  let answers: { status: number; headers?: Record<string, string> }[] = [];
  const NONCE = { 'WWW-Authenticate': 'DPoP error="use_dpop_nonce", algs="ES256"' };
  beforeEach(async () => {
    calls.length = 0;
    answers = [];
    api = await listen((request, response) => {
      calls.push(request);
      const { status, headers } = answers.shift() ?? { status: 200 };
      response.writeHead(status, headers).end('{}');
    });
  });
  afterEach(() => api.close());
  const proofs = () => Promise.all(calls.map(({ headers }) => read(headers['dpop'])));

  it('carries the token with its scheme and a proof for the method, the address and the token', async () => {
    await client.fetch(`${api.base}/a%20b/c?q=1#f`, { method: 'post', headers: { DPoP: 'mine' } });
    const { accessToken } = await client.token();
    expect(calls[0]!.headers.authorization).toBe(`DPoP ${accessToken}`);
    const [{ payload, jkt }] = (await proofs()) as [Awaited<ReturnType<typeof read>>];
    expect(payload).toMatchObject({
      htm: 'POST',
      htu: `${api.base}/a%20b/c`,
      iat: NOW,
      ath: createHash('sha256').update(accessToken).digest('base64url'),
    });
    expect(jkt).toBe((await read(scene.tiny.calls[0]!.headers['dpop'])).jkt);
  });

  it('is repeated once with the nonce that the API asks for; the authority’s own stays apart', async () => {
    scene.tiny.next.push({ status: 400, headers: { 'dpop-nonce': 'as' }, body: { error: 'use_dpop_nonce' } });
    answers = [{ status: 401, headers: { ...NONCE, 'DPoP-Nonce': 'rs1' } }];
    expect((await client.fetch(api.base, { method: 'PUT', body: 'x' })).status).toBe(200);
    expect((await client.fetch(api.base)).status).toBe(200);
    expect((await proofs()).map(({ payload }) => payload['nonce'])).toEqual([undefined, 'rs1', 'rs1']);
    expect(scene.tiny.calls).toHaveLength(2);
  });

  it('takes the next nonce from a good answer', async () => {
    answers = [{ status: 200, headers: { 'DPoP-Nonce': 'rs1' } }];
    await client.fetch(api.base);
    await client.fetch(api.base);
    expect((await proofs()).map(({ payload }) => payload['nonce'])).toEqual([undefined, 'rs1']);
  });

  it('is not repeated for the same nonce, nor with a body that has been streamed', async () => {
    answers = [1, 2, 3].map(() => ({ status: 401, headers: { ...NONCE, 'DPoP-Nonce': 'same' } }));
    expect((await client.fetch(api.base)).status).toBe(401);
    expect(calls).toHaveLength(2);
    answers = [{ status: 401, headers: { ...NONCE, 'DPoP-Nonce': 'new' } }];
    const body = new Blob(['x']).stream();
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    expect((await client.fetch(api.base, init)).status).toBe(401);
    expect(calls).toHaveLength(3);
  });

  it('does not take a nonce that could end its quotes', async () => {
    answers = [{ status: 200, headers: { 'DPoP-Nonce': 'a"b' } }];
    await client.fetch(api.base);
    await client.fetch(api.base);
    expect((await proofs()).map(({ payload }) => payload['nonce'])).toEqual([undefined, undefined]);
  });
});

describe('a key of one’s own', () => {
  const made: [string, () => unknown][] = [
    ['ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
    ['ES384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
    ['EdDSA', () => generateKeyPairSync('ed25519').privateKey],
    ['PS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
    ['ES256', () => pair({ name: 'ECDSA', namedCurve: 'P-256' })],
    ['ES384', () => pair({ name: 'ECDSA', namedCurve: 'P-384' })],
    ['EdDSA', () => pair({ name: 'Ed25519' })],
    [
      'PS256',
      () =>
        pair({
          name: 'RSA-PSS',
          modulusLength: 2048,
          publicExponent: new Uint8Array([1, 0, 1]),
          hash: 'SHA-256',
        }),
    ],
  ];
  it.each(made)('makes %s proofs that jose and the verifier take', async (alg, make) => {
    const prover = createDpopProver((await make()) as DpopKey, () => NOW);
    const proof = await prover.proof({ method: 'GET', url: 'https://api.example.com/x?y', accessToken: 't' });
    expect((await read(proof)).header.alg).toBe(alg);
    const wanted = { method: 'GET', uris: ['https://api.example.com/x'], now: NOW, accessToken: 't' };
    expect(checkDpopProof(proof, wanted).ok).toBe(true);
    expect(proof).not.toContain(Buffer.from('"d":').toString('base64url').slice(0, 5));
  });

  it.each<[string, unknown]>([
    ['a public key', generateKeyPairSync('ed25519').publicKey],
    ['a short RSA key', generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey],
    ['another curve', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey],
    ['a pair without halves', {}],
  ])('is refused at once when it is %s', (_, dpop) => {
    expect(() => scene.withSecret({ dpop: dpop as KeyObject })).toThrow(ClientOptionError);
  });
});

it('the nonces of 100 servers are remembered, the oldest makes room', async () => {
  const prover = createDpopProver(true, () => NOW);
  for (let i = 0; i <= 100; i++)
    prover.learn(`https://s${i}.example`, new Headers({ 'dpop-nonce': `n${i}` }));
  const nonceFor = async (i: number) =>
    (await read(await prover.proof({ method: 'GET', url: `https://s${i}.example` }))).payload['nonce'];
  expect([await nonceFor(0), await nonceFor(1), await nonceFor(100)]).toEqual([undefined, 'n1', 'n100']);
});

async function pair(algorithm: object): Promise<DpopKey> {
  const usages = ['sign', 'verify'] as const;
  return crypto.subtle.generateKey(algorithm as { name: string; namedCurve: string }, false, [...usages]);
}
