import express from 'express';
import fastify from 'fastify';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AUDIENCE, startTinyIssuer, type TinyIssuer } from '../../test/tiny-issuer.ts';
import { requireScope as expressGuard } from '../frameworks/express.ts';
import { requireScope as fastifyGuard } from '../frameworks/fastify.ts';
import { createVerifier } from '../create-verifier.ts';
import { type Verifier } from '../verifier.ts';
import { routeTeller } from './route-teller.ts';
import { MOST_ROUTES, MOST_ROUTES_A_REPORT, type OpenedRoute, ToldRoutes } from './told-routes.ts';

let tiny: TinyIssuer;
let verifier: Verifier;
let routes: OpenedRoute[];

beforeEach(async () => {
  tiny = await startTinyIssuer(() => Math.floor(Date.now() / 1000));
  routes = [];
  verifier = createVerifier({
    issuer: tiny.issuer,
    audience: AUDIENCE,
    usage: {
      async fetch(_url, init) {
        routes.push(...(JSON.parse(String(init?.body)).routes ?? []));
        return new Response('{}');
      },
    },
  });
});
afterEach(async () => await tiny.close());

async function call(base: string, paths: readonly string[]): Promise<void> {
  const headers = { authorization: `Bearer ${tiny.token()}` };
  for (const path of paths) await fetch(`${base}${path}`, { headers });
}

test('Express: each scope tells its routes as templates, never what a caller wrote', async () => {
  const app = express();
  const ok = (_request: unknown, response: { end(text: string): unknown }): unknown => response.end('ok');
  app.get('/cases/:id', expressGuard(verifier, 'fraud:read') as never, ok as never);
  app.get(/regular/, expressGuard(verifier, 'fraud:read') as never, ok as never);
  const router = express.Router();
  router.get('/notes/:note', expressGuard(verifier, 'fraud:list') as never, ok as never);
  app.use('/cases/:id', router);
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  await call(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, [
    '/cases/4711',
    '/cases/4712',
    '/regular',
    '/cases/4711/notes/secret',
  ]);
  await verifier.close();
  server.close();
  expect(routes).toEqual([
    { scope: 'fraud:read', method: 'GET', path: '/cases/:id' },
    { scope: 'fraud:list', method: 'GET', path: '/**/notes/:note' },
  ]);
});

test('Fastify: the same, with the prefix that it knows', async () => {
  const app = fastify();
  await app.register(
    async (cases) => {
      cases.get(
        '/:id',
        { preHandler: fastifyGuard(verifier, ['fraud:read', 'fraud:list']) as never },
        async () => 'ok',
      );
    },
    { prefix: '/cases' },
  );
  await call(await app.listen({ port: 0, host: '127.0.0.1' }), ['/cases/4711', '/cases/4712']);
  await verifier.close();
  await app.close();
  expect(routes).toEqual([
    { scope: 'fraud:read', method: 'GET', path: '/cases/:id' },
    { scope: 'fraud:list', method: 'GET', path: '/cases/:id' },
  ]);
});

test('routes are bounded: of a guard, of a process, of a report', () => {
  const told = new ToldRoutes();
  for (let at = 0; at < MOST_ROUTES + 5; at++) told.add({ scope: 's', method: 'GET', path: `/${at}` });
  const first = told.take();
  expect(first).toHaveLength(MOST_ROUTES_A_REPORT);
  told.giveBack(first);
  let sum = 0;
  for (let taken = told.take(); taken.length > 0; taken = told.take()) sum += taken.length;
  expect(sum).toBe(MOST_ROUTES);
  const seen: OpenedRoute[] = [];
  const tell = routeTeller({ opens: (route) => seen.push(route) }, 'a b');
  for (let at = 0; at < 200; at++) tell('GET', `/${at}`);
  tell('GET', '/0');
  tell('GET', /x/);
  expect(seen).toHaveLength(200);
});

test('what the authority would not take as a route is not told', () => {
  const told = new ToldRoutes();
  told.add({ scope: 's', method: 'get', path: '/' });
  told.add({ scope: 's', method: 'GET', path: '/with space' });
  told.add({ scope: 's', method: 'GET', path: `/${'x'.repeat(256)}` });
  told.add({ scope: 'ü', method: 'GET', path: '/' });
  expect(told.take()).toEqual([]);
});
