// The same client under other people's ways to make a request.
import type { IncomingHttpHeaders } from 'node:http';
import * as grpc from '@grpc/grpc-js';
import axios from 'axios';
import { decodeJwt } from 'jose';
import { Agent, interceptors, request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openssl, pair } from '../../test/certificate-pair.ts';
import { clientScene } from '../../test/client-scene.ts';
import { listen } from '../../test/tiny-authority.ts';
import type { Client } from '../client.ts';
import { authorizeAxios } from './axios.ts';
import { authorizeGrpc } from './grpc.ts';
import { authorizeUndici } from './undici.ts';

const scene = clientScene();

let api: Awaited<ReturnType<typeof listen>>;
let calls: { headers: IncomingHttpHeaders; url: string; body: string }[];
/** Statuses and headers of the next answers; then 200. */
let answers: [status: number, headers?: Record<string, string>][];
beforeEach(async () => {
  calls = [];
  answers = [];
  api = await listen((message, response) => {
    void (async () => {
      let body = '';
      for await (const chunk of message) body += String(chunk);
      calls.push({ headers: message.headers, url: message.url ?? '', body });
      const [status, headers] = answers.shift() ?? [200];
      response.writeHead(status, headers).end('done');
    })();
  });
});
afterEach(() => api.close());

const NONCE: [number, Record<string, string>] = [
  401,
  { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'n1' },
];
const authorizations = (): (string | undefined)[] => calls.map(({ headers }) => headers.authorization);

describe('axios', () => {
  it('sends the token in place of another, and what the caller gave', async () => {
    const client = scene.withSecret();
    const http = axios.create({ baseURL: api.base, headers: { authorization: 'Basic other' } });
    authorizeAxios(http, client);
    await http.post('/cases', { a: 1 }, { params: { x: '1' }, headers: { 'x-custom': 'y' } });
    const { accessToken } = await client.token();
    expect(calls).toMatchObject([
      {
        url: '/cases?x=1',
        body: '{"a":1}',
        headers: { authorization: `Bearer ${accessToken}`, 'x-custom': 'y' },
      },
    ]);
  });

  it('comes back once with a new token after a 401, and lets any other failure be', async () => {
    const client = scene.withSecret();
    const http = axios.create({ baseURL: api.base });
    authorizeAxios(http, client);
    await http.get('/');
    scene.now += 10;
    answers = [[401]];
    expect((await http.post('/', 'x=1')).status).toBe(200);
    expect(new Set(authorizations()).size).toBe(2);
    expect(calls.at(-1)?.body).toBe('x=1');
    answers = [[401], [401]];
    await expect(http.get('/')).rejects.toMatchObject({ response: { status: 401 } });
    answers = [[403]];
    await expect(http.get('/')).rejects.toMatchObject({ response: { status: 403 } });
    expect(calls).toHaveLength(5);
  });

  it('proves possession of a key in each request, and answers a nonce', async () => {
    const client = scene.withSecret({ dpop: true });
    scene.tiny.tokenType = 'DPoP';
    const http = axios.create();
    authorizeAxios(http, client);
    answers = [NONCE];
    await http.get(`${api.base}/cases?x=1`);
    const proofs = calls.map(({ headers }) => decodeJwt(String(headers['dpop'])));
    expect(proofs).toMatchObject([{ htm: 'GET', htu: `${api.base}/cases` }, { nonce: 'n1' }]);
  });

  it('lets no redirect take the token or its proof to another origin', async () => {
    const client = scene.withSecret({ dpop: true });
    scene.tiny.tokenType = 'DPoP';
    // A name below the first one's: follow-redirects keeps the token for that.
    const base = api.base.replace('127.0.0.1', 'localhost');
    const elsewhere = `${base.replace('localhost', 'other.localhost')}/elsewhere`;
    const http = axios.create({
      beforeRedirect: (options: { headers: Record<string, string> }) =>
        void (options['headers']['x-hop'] = 'seen'),
      lookup: (_name: string, _options: object, done: (error: null, found: string, family: 4) => void) =>
        done(null, '127.0.0.1', 4),
    } as object);
    authorizeAxios(http, client);
    answers = [
      [302, { location: '/here' }],
      [302, { location: elsewhere }],
    ];
    await http.get(base);
    expect(
      calls.map(({ url, headers }) => [url, typeof headers.authorization, typeof headers['dpop']]),
    ).toEqual([
      ['/', 'string', 'string'],
      ['/here', 'string', 'string'],
      ['/elsewhere', 'undefined', 'undefined'],
    ]);
    expect(calls.at(-1)?.headers['x-hop']).toBe('seen');
  });

  it('sends nothing without encryption or a token, and nothing more once it is undone', async () => {
    const client = scene.withSecret();
    const http = axios.create();
    const undo = authorizeAxios(http, client);
    await expect(http.get('http://api.example.com/')).rejects.toMatchObject({ code: 'insecure_url' });
    scene.tiny.next.push({ status: 400, body: { error: 'invalid_scope' } });
    await expect(http.get(api.base)).rejects.toMatchObject({ code: 'refused' });
    undo();
    await http.get(api.base);
    expect(authorizations()).toEqual([undefined]);
  });
});

describe('undici', () => {
  let agent: Agent;
  beforeEach(() => {
    agent = new Agent();
  });
  afterEach(() => agent.close());

  it('sends the token in place of another, and what the caller gave', async () => {
    const client = scene.withSecret();
    const dispatcher = agent.compose(authorizeUndici(client));
    for (const headers of [
      { Authorization: 'Basic other', 'x-custom': 'y' },
      ['Authorization', 'Basic other', 'x-custom', 'y'],
      new Map([
        ['authorization', 'Basic other'],
        ['x-custom', 'y'],
      ]),
    ]) {
      const { body } = await request(`${api.base}/cases?x=1`, {
        dispatcher,
        headers,
        method: 'POST',
        body: 'x=1',
      });
      expect(await body.text()).toBe('done');
    }
    const { accessToken } = await client.token();
    const right = {
      url: '/cases?x=1',
      body: 'x=1',
      headers: { authorization: `Bearer ${accessToken}`, 'x-custom': 'y' },
    };
    expect(calls).toMatchObject([right, right, right]);
  });

  it.each([
    [
      'inside',
      (client: Client) =>
        agent.compose(interceptors.redirect({ maxRedirections: 3 }), authorizeUndici(client)),
    ],
    [
      'outside',
      (client: Client) =>
        agent.compose(authorizeUndici(client), interceptors.redirect({ maxRedirections: 3 })),
    ],
  ])('gives another origin that it is redirected to %s no token', async (_where, compose) => {
    const elsewhere = `${api.base.replace('127.0.0.1', 'localhost')}/elsewhere`;
    answers = [
      [302, { location: '/here' }],
      [302, { location: elsewhere }],
    ];
    const { body } = await request(api.base, { dispatcher: compose(scene.withSecret()) });
    await body.dump();
    expect(calls.map(({ url, headers }) => [url, typeof headers.authorization])).toEqual([
      ['/', 'string'],
      ['/here', 'string'],
      ['/elsewhere', 'undefined'],
    ]);
  });

  it('has a new token for the request after a 401', async () => {
    const dispatcher = agent.compose(authorizeUndici(scene.withSecret()));
    const get = async (): Promise<number> => {
      const { statusCode, body } = await request(api.base, { dispatcher });
      await body.dump();
      return statusCode;
    };
    await get();
    scene.now += 10;
    answers = [[401]];
    expect([await get(), await get()]).toEqual([401, 200]);
    expect(new Set(authorizations()).size).toBe(2);
  });

  it('fails where there is no token, or no encryption', async () => {
    const dispatcher = agent.compose(authorizeUndici(scene.withSecret()));
    await expect(request('http://api.example.com/', { dispatcher })).rejects.toMatchObject({
      code: 'insecure_url',
    });
    scene.tiny.next.push({ status: 401, body: { error: 'invalid_client' } });
    await expect(request(api.base, { dispatcher })).rejects.toMatchObject({ code: 'refused' });
    expect(calls).toEqual([]);
  });
});

describe.skipIf(!openssl)(openssl ? 'gRPC' : 'gRPC (absent: openssl, to make a certificate)', () => {
  const method = {
    path: '/fraud.Cases/List',
    requestStream: false,
    responseStream: false,
    requestSerialize: (text: string) => Buffer.from(text),
    requestDeserialize: String,
    responseSerialize: (text: string) => Buffer.from(text),
    responseDeserialize: String,
  } as const;

  it('gives each call a token, and fails as unauthenticated without one', async () => {
    const { cert, key } = pair('localhost');
    const server = new grpc.Server();
    server.addService(
      { List: method },
      {
        List: (call: grpc.ServerUnaryCall<string, string>, done: grpc.sendUnaryData<string>) =>
          done(null, String(call.metadata.get('authorization')[0])),
      },
    );
    const credentials = grpc.ServerCredentials.createSsl(null, [
      { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) },
    ]);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('localhost:0', credentials, (error, at) =>
        error === null ? resolve(at) : reject(error),
      );
    });
    const client = scene.withSecret();
    const channel = grpc.credentials.combineChannelCredentials(
      grpc.credentials.createSsl(Buffer.from(cert)),
      authorizeGrpc(grpc, client, { scope: 'read' }),
    );
    const stub = new grpc.Client(`localhost:${port}`, channel);
    const list = (): Promise<string> =>
      new Promise((resolve, reject) => {
        stub.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          'all',
          (error, answer) => (error === null ? resolve(answer ?? '') : reject(error)),
        );
      });
    expect(await list()).toBe(`Bearer ${(await client.token({ scope: 'read' })).accessToken}`);
    scene.now += 10_000;
    scene.tiny.next.push({ status: 400, body: { error: 'invalid_scope' } });
    await expect(list()).rejects.toMatchObject({ code: grpc.status.UNAUTHENTICATED });
    stub.close();
    server.forceShutdown();
  });
});
