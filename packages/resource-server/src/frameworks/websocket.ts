// WebSockets, with `ws` or whatever else answers upgrades of node:http: RFC 6455 §4.2.2 (an upgrade that is refused), §7.4 (codes
// of closing; 3000 and 3003 are of IANA's registry).
import { STATUS_CODES } from 'node:http';
import type { RequestHeaders } from '../presented-token.ts';
import type { Refusal } from '../refusal.ts';
import { watchScope as watch } from '../require-scope.ts';
import type { Verifier } from '../verifier.ts';
import type { Watched, WatchOptions } from '../watch.ts';
import { refusalAnswer } from './answer.ts';

/** What is used of the connection that an upgrade came on. */
export interface UpgradeSocket {
  end(text: string): unknown;
}

/** What is used of a WebSocket, in the form that it has everywhere. */
export interface WebSocketLike {
  close(code: number, reason: string): void;
  addEventListener(event: 'close', listener: () => void): void;
}

/** For the event `upgrade` of a server: resolves to undefined when the request was refused; then it has been answered. */
export function watchScope(
  verifier: Verifier,
  scope: string | readonly string[],
  options?: WatchOptions,
): (request: RequestHeaders, socket: UpgradeSocket) => Promise<Watched | undefined> {
  return async (request, socket) => {
    const result = await watch(verifier, request, scope, options);
    if (result.ok) return result;
    const { status, headers, body } = refusalAnswer(result);
    const lines = Object.entries({ ...headers, 'Content-Length': `${body.length}`, Connection: 'close' });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`);
    return undefined;
  };
}

/** By HTTP status: policy violation, unauthorized, forbidden, try again later. */
const CLOSE_CODES: { readonly [status in Refusal['status']]: number } = {
  400: 1008,
  401: 3000,
  403: 3003,
  503: 1013,
};

/** Closes the socket when the token no longer holds, and stops watching when the socket is closed. */
export function closeWith(socket: WebSocketLike, watched: Watched): void {
  socket.addEventListener('close', () => watched.stop());
  watched.signal.addEventListener('abort', () => {
    const { status, error } = watched.signal.reason as Refusal;
    socket.close(CLOSE_CODES[status], error ?? '');
  });
}
