import { request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newHolder, proofFor } from '../../test/holder.ts';
import { AUDIENCE, startTinyIssuer, type TinyIssuer } from '../../test/tiny-issuer.ts';
import { createVerifier, type Verifier } from '../verifier.ts';
import {
  type ExpressRequest,
  requireScope as requireScopeInExpress,
  resourceMetadata as metadataInExpress,
} from './express.ts';
import {
  type FastifyRequestLike,
  requireScope as requireScopeInFastify,
  resourceMetadata as metadataInFastify,
} from './fastify.ts';

const clock = () => 1_800_000_000;
let tiny: TinyIssuer;
let verifier: Verifier;
const bases = new Map<string, string>();
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  tiny = await startTinyIssuer(clock);
  verifier = createVerifier({
    issuer: tiny.issuer,
    audience: AUDIENCE,
    clock,
    cutoffs: false,
    dpop: { nonces: true },
    metadata: { scopes: ['fraud:read', 'fraud:write'], name: 'Fraud' },
  });

  const app = express();
  app.use(metadataInExpress(verifier));
  app.get('/cases', requireScopeInExpress(verifier, 'fraud:read'), (request, response) => {
    response.json({ caller: (request as ExpressRequest).auth?.claims.client_id });
  });
  const below = express.Router();
  below.get('/cases', requireScopeInExpress(verifier, 'fraud:read'), (_, response) => {
    response.json({});
  });
  app.use('/below', below);
  app.post('/cases', requireScopeInExpress(verifier, ['fraud:read', 'fraud:write']), (_, response) => {
    response.json({});
  });
  const server: Server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  bases.set('express', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  closers.push(() => server.close());

  const instance = fastify();
  metadataInFastify(instance, verifier);
  instance.get('/cases', { preHandler: requireScopeInFastify(verifier, 'fraud:read') }, (request) => ({
    caller: (request as FastifyRequestLike).auth?.claims.client_id,
  }));
  instance.get('/below/cases', { preHandler: requireScopeInFastify(verifier, 'fraud:read') }, () => ({}));
  instance.post(
    '/cases',
    { onRequest: requireScopeInFastify(verifier, 'fraud:read fraud:write') },
    () => ({}),
  );
  bases.set('fastify', await instance.listen({ port: 0, host: '127.0.0.1' }));
  closers.push(() => instance.close());
});
afterAll(async () => {
  for (const close of closers) await close();
  await verifier.close();
  await tiny.close();
});

/** Sends raw header lines, so that one can be sent twice. */
function call(base: string, path: string, authorization: string[], method = 'GET', proof?: string) {
  return new Promise<{
    status: number;
    challenge: string | undefined;
    nonce: unknown;
    body: string;
    type: string | undefined;
  }>((resolve, reject) => {
    const headers = [
      ['Host', 'x'],
      ['Content-Length', '0'],
      ...authorization.map((value) => ['Authorization', value]),
      ...(proof === undefined ? [] : [['DPoP', proof]]),
    ].flat();
    const outgoing = httpRequest(`${base}${path}`, { method, headers }, async (response) => {
      let body = '';
      for await (const chunk of response) body += String(chunk);
      resolve({
        status: response.statusCode ?? 0,
        challenge: response.headers['www-authenticate'],
        nonce: response.headers['dpop-nonce'],
        type: response.headers['content-type'],
        body,
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

const METADATA = 'resource_metadata="https://fraud.example.com/.well-known/oauth-protected-resource"';

describe.each(['express', 'fastify'])('%s', (framework) => {
  const base = () => bases.get(framework)!;

  it('lets a token with the scope pass and tells who it is', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const answer = await call(base(), '/cases', [`${scheme} ${tiny.token()}`]);
      expect(answer).toMatchObject({ status: 200, body: '{"caller":"payments"}' });
    }
  });

  it.each<[string, (tiny: TinyIssuer) => string[], number, string]>([
    ['no token', () => [], 401, `Bearer ${METADATA}`],
    ['another scheme', () => ['Basic YTpi'], 401, `Bearer ${METADATA}`],
    [
      'an unbound token with the DPoP scheme',
      (t) => [`DPoP ${t.token()}`],
      401,
      `DPoP error="invalid_token", algs="ES256 ES384 PS256 EdDSA Ed25519", ${METADATA}`,
    ],
    ['an empty token', () => ['Bearer'], 400, `Bearer error="invalid_request", ${METADATA}`],
    ['two words', () => ['Bearer a b'], 400, `Bearer error="invalid_request", ${METADATA}`],
    [
      'a character that no token has',
      () => ['Bearer "a"'],
      400,
      `Bearer error="invalid_request", ${METADATA}`,
    ],
    [
      'two tokens',
      (t) => [`Bearer ${t.token()}`, `Bearer ${t.token()}`],
      400,
      `Bearer error="invalid_request", ${METADATA}`,
    ],
    [
      'a token and another scheme',
      (t) => [`Bearer ${t.token()}`, 'Basic YTpi'],
      400,
      `Bearer error="invalid_request", ${METADATA}`,
    ],
    ['junk', () => ['Bearer junk'], 401, `Bearer error="invalid_token", ${METADATA}`],
    [
      'a token for another API',
      (t) => [`Bearer ${t.token({ aud: 'urn:x' })}`],
      401,
      `Bearer error="invalid_token", ${METADATA}`,
    ],
    [
      'a token without the scope',
      (t) => [`Bearer ${t.token({ scope: 'fraud:list' })}`],
      403,
      `Bearer error="insufficient_scope", scope="fraud:read", ${METADATA}`,
    ],
  ])('refuses %s', async (_, authorization, status, challenge) => {
    const answer = await call(base(), '/cases', authorization(tiny));
    expect(answer).toMatchObject({ status, challenge, type: expect.stringContaining('application/json') });
  });

  it('asks for every scope of a list', async () => {
    const both = { scope: 'fraud:read fraud:write' };
    expect(await call(base(), '/cases', [`Bearer ${tiny.token(both)}`], 'POST')).toMatchObject({
      status: 200,
    });
    expect(await call(base(), '/cases', [`Bearer ${tiny.token()}`], 'POST')).toMatchObject({
      status: 403,
      challenge: `Bearer error="insufficient_scope", scope="fraud:read fraud:write", ${METADATA}`,
      body: '{"error":"insufficient_scope"}',
    });
  });

  it('does not look at a token in the query', async () => {
    expect(await call(base(), `/cases?access_token=${tiny.token()}`, [])).toMatchObject({ status: 401 });
  });

  it('takes a bound token with a proof for the whole path and a nonce, and gives the nonce back', async () => {
    const holder = newHolder();
    const token = tiny.token({ cnf: { jkt: holder.jkt } });
    const ask = (change: object) =>
      call(
        base(),
        '/below/cases?page=1',
        [`DPoP ${token}`],
        'GET',
        proofFor(holder, { url: `${AUDIENCE}/below/cases`, token, iat: clock() }, change),
      );
    const refused = await ask({});
    expect(refused).toMatchObject({ status: 401, body: '{"error":"use_dpop_nonce"}' });
    expect(await ask({ nonce: refused.nonce })).toMatchObject({ status: 200, nonce: refused.nonce });
    expect(await ask({ nonce: refused.nonce, htu: `${AUDIENCE}/cases` })).toMatchObject({ status: 401 });
  });

  it('serves the metadata of RFC 9728', async () => {
    const answer = await call(base(), '/.well-known/oauth-protected-resource', []);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      resource: AUDIENCE,
      authorization_servers: [tiny.issuer],
      scopes_supported: ['fraud:read', 'fraud:write'],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: ['ES256', 'ES384', 'PS256', 'EdDSA', 'Ed25519'],
      dpop_bound_access_tokens_required: false,
      resource_name: 'Fraud',
    });
  });
});
