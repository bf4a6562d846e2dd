// A proxy between raw sockets and an application, for tests.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Server as TcpServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHttpListener } from '@countersign/daemon';
import { afterEach } from 'vitest';
import { readConfig } from '../src/config/read-config.ts';
import { createDecideStream, type EdgeVerifier } from '../src/decision/decide.ts';
import { identityHeaders } from '../src/decision/identity.ts';
import { createInFlight } from '../src/proxy/in-flight.ts';
import { createProxy } from '../src/proxy/proxy.ts';
import { createUpgrade } from '../src/proxy/upgrade.ts';
import { openUpstream } from '../src/proxy/upstream.ts';
import { routeTable } from '../src/rules/route-table.ts';
import { createLedger } from '../src/telemetry/ledger.ts';

/** A request as the application got it. */
export interface Seen {
  readonly request: string;
  readonly headers: readonly string[];
  readonly body: string;
}
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Run after each test, the last first. */
export const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** An application that notes what it got and answers `ok`, or as told. */
export async function startApplication(handler?: Handler): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    if (handler !== undefined) return handler(request, response);
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    request.on('end', () => {
      seen.push({ request: `${request.method} ${request.url}`, headers: request.rawHeaders, body });
      response.end('ok');
    });
  });
  return { port: await listen(server), seen };
}

/** Listens on a loopback port until the test ends. */
export function listen(server: Server | TcpServer): Promise<number> {
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  if ('closeAllConnections' in server) closing.push(() => server.closeAllConnections());
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}

/** A proxy in front of a port: every path below `/open` is public, those below `/token` need what the verifier takes. */
export async function startProxy(upstream: number, limits = '', verifier?: EdgeVerifier): Promise<number> {
  const config = readConfig(
    'gateway.yaml',
    `issuer: https://a.example
listen: {proxy: '127.0.0.1:0'}
upstreams: {app: 'http://127.0.0.1:${upstream}'}
resources: {api: {audience: 'https://a.example'}}
routes:
  - {prefix: /open, public: true, upstream: app}
  - {prefix: /token, resource: api, scope: read, upstream: app}
limits: {drainTimeout: 1${limits === '' ? '' : `, ${limits}`}}
`,
  );
  const identity = identityHeaders(config.identityHeaders);
  const silent = {
    info: () => undefined,
    warn: () => undefined,
    error: (fields: object) => {
      throw new Error('a request failed because of a bug', { cause: fields });
    },
  };
  const upstreams = new Map(
    [...config.upstreams].map(([name, each]) => [name, openUpstream(each, config.limits)]),
  );
  const deciding = {
    routes: routeTable(config.routes),
    verifiers: new Map(verifier === undefined ? [] : [['api', verifier]]),
    identity,
    limits: config.limits,
  };
  const forwarding = {
    decideStream: createDecideStream(deciding),
    identity,
    credentials: ['authorization', 'dpop', 'x-api-key'],
    namesCertificates: () => false,
    upstreams,
    limits: config.limits,
    inFlight: createInFlight(config.limits.inFlight),
    ledger: createLedger(silent, () => 0),
  };
  const listener = createHttpListener({
    limits: { ...config.limits, silence: config.limits.upstreamTimeout + 5 },
    tls: undefined,
    admits: () => true,
    standsForMany: () => true,
    onTurnedAway: () => undefined,
    onRequest: createProxy(forwarding),
    onUpgrade: createUpgrade(forwarding),
  });
  closing.push(() => listener.drain(0));
  closing.push(() => upstreams.forEach((each) => each.close()));
  return listener.listen('127.0.0.1', 0);
}

/** Sends bytes as they are and reads until the other side ends, `enough` says so, or for 5 s. */
export function speak(
  port: number,
  pieces: readonly string[],
  enough: (text: string) => boolean = () => false,
  pauseMs = 0,
): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', async () => {
      for (const piece of pieces) {
        if (socket.destroyed) break;
        socket.write(Buffer.from(piece, 'latin1'));
        if (pauseMs > 0) await sleep(pauseMs);
      }
    });
    const timer = setTimeout(() => socket.destroy(), 5000);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (enough(text)) socket.destroy();
    });
    socket.on('end', () => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}
/** A request's line and headers, with a host. */
export const head = (line: string, ...lines: string[]): string =>
  `${[line, 'Host: a.example', ...lines].join('\r\n')}\r\n\r\n`;
export const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
export const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4);
export const valuesOf = ({ headers }: Seen, name: string): readonly string[] =>
  headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name);
