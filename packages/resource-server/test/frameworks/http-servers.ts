// Every framework that speaks HTTP, itself, each with the same guarded resource and the API's metadata.
import 'reflect-metadata';
import type { IncomingMessage } from 'node:http';
import { serve as honoServe } from '@hono/node-server';
import { All, Controller, HttpException, Module, Req, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import express from 'express';
import express4 from 'express4';
import fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import * as inExpress from '../../src/frameworks/express.ts';
import * as inFastify from '../../src/frameworks/fastify.ts';
import * as inFetch from '../../src/frameworks/fetch.ts';
import * as inHono from '../../src/frameworks/hono.ts';
import * as inKoa from '../../src/frameworks/koa.ts';
import { mcpGuard, type McpRequest } from '../../src/frameworks/mcp.ts';
import { type NestRequest, scopeGuard } from '../../src/frameworks/nest.ts';
import * as inNode from '../../src/frameworks/node-http.ts';
import type { Verified } from '../../src/token-request.ts';
import type { Verifier } from '../../src/verifier.ts';
import { overHttp, PATH, serve, SERVER_OPTIONS } from './over-http.ts';
import type { Served } from './requests.ts';
import { SCOPE } from './world.ts';

/** A framework, ready, and how it is stopped. */
export interface Running {
  readonly served: Served;
  close(): unknown;
}
export type Start = (verifier: Verifier) => Promise<Running>;

const callerOf = (auth: Verified | undefined): { caller: string | undefined } => ({
  caller: auth?.claims.client_id,
});

const nodeHttp: Start = async (verifier) => {
  const guard = inNode.requireScope(verifier, SCOPE);
  const answersMetadata = inNode.resourceMetadata(verifier);
  const { base, close } = await serve((request, response) => {
    if (answersMetadata(request, response)) return;
    void guard(request, response).then((auth) => {
      if (auth !== undefined) response.end(JSON.stringify(callerOf(auth)));
    });
  });
  return { served: overHttp(base), close };
};

/** Behind a router, so that `url` is not what was sent. */
const inExpressOf =
  (make: typeof express): Start =>
  async (verifier) => {
    const app = make();
    app.use(inExpress.resourceMetadata(verifier));
    const below = make.Router();
    below.all('/cases', inExpress.requireScope(verifier, SCOPE), (request, response) => {
      response.json(callerOf((request as inExpress.ExpressRequest).auth));
    });
    app.use('/below', below);
    const { base, close } = await serve(app);
    return { served: overHttp(base, '/below/cases'), close };
  };

const fastify5: Start = async (verifier) => {
  const app = fastify({ http: SERVER_OPTIONS });
  inFastify.resourceMetadata(app, verifier);
  app.all(PATH, { preHandler: inFastify.requireScope(verifier, SCOPE) }, (request) =>
    callerOf((request as inFastify.FastifyRequestLike).auth),
  );
  const base = await app.listen({ port: 0, host: '127.0.0.1' });
  return { served: overHttp(base), close: () => app.close() };
};

/** On the fetch server for Node. */
const fetchHandler: Start = async (verifier) => {
  const metadata = inFetch.resourceMetadata(verifier);
  const handler = inFetch.requireScope(verifier, SCOPE, (_request, auth) => Response.json(callerOf(auth)));
  return serveFetch(async (request) => metadata(request) ?? (await handler(request)));
};

const hono: Start = async (verifier) => {
  const app = new Hono<{ Variables: inHono.HonoAuth }>();
  app.use(inHono.resourceMetadata(verifier));
  app.all(PATH, inHono.requireScope(verifier, SCOPE), (context) => context.json(callerOf(context.var.auth)));
  return serveFetch(app.fetch);
};

function serveFetch(
  fetch: (request: Request, env: object) => Response | Promise<Response>,
): Promise<Running> {
  return new Promise((resolve) => {
    const options = { fetch: fetch as never, port: 0, hostname: '127.0.0.1', serverOptions: SERVER_OPTIONS };
    const server = honoServe(options, ({ port }) =>
      resolve({ served: overHttp(`http://127.0.0.1:${port}`), close: () => server.close() }),
    );
  });
}

/** Hono on a runtime without node's request behind it. */
const honoAlone: Start = async (verifier) => {
  const app = new Hono<{ Variables: inHono.HonoAuth }>();
  app.use(inHono.resourceMetadata(verifier));
  app.all(PATH, inHono.requireScope(verifier, SCOPE), (context) =>
    context.json(callerOf(context.get('auth'))),
  );
  return serveFetch((request) => app.fetch(request));
};

const koa: Start = async (verifier) => {
  const app = new Koa();
  app.use(inKoa.resourceMetadata(verifier));
  app.use(inKoa.requireScope(verifier, SCOPE));
  app.use((context) => {
    context.body = callerOf((context.state as { auth?: Verified }).auth);
  });
  const { base, close } = await serve(app.callback());
  return { served: overHttp(base), close };
};

/** Decorators as functions: what the tests are compiled with does not know Nest's kind. */
function nestModule(verifier: Verifier): new () => object {
  const guard = scopeGuard(verifier, HttpException);
  class Cases {
    list(request: NestRequest): object {
      return callerOf(request.auth);
    }
  }
  const list = Object.getOwnPropertyDescriptor(Cases.prototype, 'list') as TypedPropertyDescriptor<unknown>;
  Req()(Cases.prototype, 'list', 0);
  All()(Cases.prototype, 'list', list);
  Controller('cases')(Cases);
  UseGuards(guard(SCOPE))(Cases);
  class App {}
  Module({ controllers: [Cases] })(App);
  return App;
}

const nestOnExpress: Start = async (verifier) => {
  const app = await NestFactory.create(nestModule(verifier), new ExpressAdapter(), { logger: false });
  app.use(inExpress.resourceMetadata(verifier));
  await app.init();
  const { base, close } = await serve(app.getHttpAdapter().getInstance());
  return { served: overHttp(base), close };
};

const nestOnFastify: Start = async (verifier) => {
  const adapter = new FastifyAdapter({ http: SERVER_OPTIONS } as never);
  const app = await NestFactory.create<NestFastifyApplication>(nestModule(verifier), adapter, {
    logger: false,
  });
  inFastify.resourceMetadata(app.getHttpAdapter().getInstance(), verifier);
  await app.listen(0, '127.0.0.1');
  return { served: overHttp(await app.getUrl()), close: () => app.close() };
};

const mcp: Start = async (verifier) => {
  const guard = mcpGuard(verifier, SCOPE);
  const { base, close } = await serve((request: McpRequest & IncomingMessage, response) => {
    void guard.middleware(request, response, () => {
      response.end(JSON.stringify({ caller: request.auth?.clientId }));
    });
  });
  return { served: overHttp(base), close };
};

const mcpFetch: Start = (verifier) =>
  serveFetch(
    mcpGuard(verifier, SCOPE).fetch((_request, { clientId }) => Response.json({ caller: clientId })),
  );

export const HTTP_SERVERS: { readonly [name: string]: Start } = {
  'node:http': nodeHttp,
  'Express 5': inExpressOf(express),
  'Express 4': inExpressOf(express4),
  'Fastify 5': fastify5,
  fetch: fetchHandler,
  'Hono on Node': hono,
  Hono: honoAlone,
  Koa: koa,
  'Nest on Express': nestOnExpress,
  'Nest on Fastify': nestOnFastify,
  MCP: mcp,
  'MCP with fetch': mcpFetch,
};
