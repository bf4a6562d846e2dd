import { request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
    metadata: { scopes: ['fraud:read', 'fraud:write'], name: 'Fraud' },
  });

  const app = express();
  app.use(metadataInExpress(verifier));
  app.get('/cases', requireScopeInExpress(verifier, 'fraud:read'), (request, response) => {
    response.json({ caller: (request as ExpressRequest).auth?.claims.client_id });
  });
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
function call(base: string, path: string, authorization: string[], method = 'GET') {
  return new Promise<{
    status: number;
    challenge: string | undefined;
    body: string;
    type: string | undefined;
  }>((resolve, reject) => {
    const headers = [
      ['Host', 'x'],
      ['Content-Length', '0'],
      ...authorization.map((value) => ['Authorization', value]),
    ].flat();
    const outgoing = httpRequest(`${base}${path}`, { method, headers }, async (response) => {
      let body = '';
      for await (const chunk of response) body += String(chunk);
      resolve({
        status: response.statusCode ?? 0,
        challenge: response.headers['www-authenticate'],
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
    ['the DPoP scheme', (t) => [`DPoP ${t.token()}`], 401, `Bearer ${METADATA}`],
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

  it('serves the metadata of RFC 9728', async () => {
    const answer = await call(base(), '/.well-known/oauth-protected-resource', []);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      resource: AUDIENCE,
      authorization_servers: [tiny.issuer],
      scopes_supported: ['fraud:read', 'fraud:write'],
      bearer_methods_supported: ['header'],
      resource_name: 'Fraud',
    });
  });
});
