// The answer of the provider, on loopback: RFC 8252 §7.3 (a port of its own), §8.9; RFC 6749 §10.12 (state); RFC 9207 (iss).
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandFailure } from '../failure.ts';

export interface Callback {
  readonly redirectUri: string;
  /** The authorization code. Rejects `CommandFailure`. */
  readonly code: Promise<string>;
  close(): void;
}

export interface CallbackAsked {
  readonly state: string;
  readonly issuer: string;
  readonly saysIssuer: boolean;
  readonly timeoutMs: number;
}

/** Listens on the loopback address alone, at a port that the system gives. */
export async function listenForCallback(asked: CallbackAsked): Promise<Callback> {
  let settle: { resolve(code: string): void; reject(error: Error): void } | undefined;
  const code = new Promise<string>((resolve, reject) => (settle = { resolve, reject }));
  code.catch(() => undefined);
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    const outcome = readCallback(request, port, asked);
    answer(response, outcome);
    if ('code' in outcome) settle?.resolve(outcome.code);
    if ('failure' in outcome) settle?.reject(outcome.failure);
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const timer = setTimeout(() => {
    settle?.reject(
      new CommandFailure('failure', 'Nobody signed in.', { fix: 'Run countersign login again.' }),
    );
  }, asked.timeoutMs);
  return {
    redirectUri: `http://127.0.0.1:${port}/callback`,
    code,
    close() {
      clearTimeout(timer);
      server.close();
      server.closeAllConnections();
    },
  };
}

type Outcome =
  | { readonly code: string }
  | { readonly failure: CommandFailure }
  /** Not the answer that is waited for, whoever sent it: the waiting goes on. */
  | { readonly ignored: number };

function readCallback(request: IncomingMessage, port: number, asked: CallbackAsked): Outcome {
  // A name that somebody points here is not this address (DNS rebinding).
  if (request.headers.host !== `127.0.0.1:${port}`) return { ignored: 400 };
  const url = new URL(request.url ?? '/', `http://127.0.0.1:${port}`);
  if (url.pathname !== '/callback') return { ignored: 404 };
  if (request.method !== 'GET') return { ignored: 405 };
  const one = (name: string): string | undefined => {
    const all = url.searchParams.getAll(name);
    return all.length === 1 ? all[0] : undefined;
  };
  // Without the state it is an answer to nothing that was asked here.
  if (!sameText(one('state') ?? '', asked.state)) return { ignored: 400 };
  const iss = one('iss');
  // RFC 9207 §2.4: an answer of another server is refused, and so is one that does not say, where all do.
  if (iss === undefined ? asked.saysIssuer : iss !== asked.issuer) {
    return { failure: new CommandFailure('denied', 'The answer to the sign-in is of another provider.') };
  }
  const error = one('error');
  if (error !== undefined) {
    const said = /^[\x20-\x7e]{1,100}$/.test(error) ? error : 'an error';
    return { failure: new CommandFailure('denied', `The provider signed nobody in: ${said}`) };
  }
  const code = one('code');
  if (code === undefined || code === '' || code.length > 4096) return { ignored: 400 };
  return { code };
}

function answer(response: ServerResponse, outcome: Outcome): void {
  const status = 'code' in outcome ? 200 : 'ignored' in outcome ? outcome.ignored : 403;
  const text =
    'code' in outcome
      ? 'You may close this page and go back to the terminal.\n'
      : 'This is no answer to the sign-in.\n';
  response
    .writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close',
    })
    .end(text);
}

function sameText(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}
