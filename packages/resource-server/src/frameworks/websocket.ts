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
  readonly destroyed?: boolean;
  end(text: string): unknown;
  destroy?(): unknown;
  on?(event: 'error' | 'close', listener: () => void): unknown;
}

/** What is used of a WebSocket, in the form that it has everywhere. */
export interface WebSocketLike {
  close(code: number, reason: string): void;
  /** Cuts the connection without a word: `ws` and Bun have it. */
  terminate?(): void;
  addEventListener(event: 'close', listener: () => void): void;
}

/**
 * For the event `upgrade` of a server: resolves to undefined when the request was refused, then it has been answered, and when
 * its caller has hung up meanwhile. The token is watched until the connection is closed.
 */
export function watchScope(
  verifier: Verifier,
  scope: string | readonly string[],
  options?: WatchOptions,
): (request: RequestHeaders, socket: UpgradeSocket) => Promise<Watched | undefined> {
  return async (request, socket) => {
    // Node takes its own listeners off before it hands the socket over: whoever resets one would end the process.
    socket.on?.('error', () => undefined);
    const result = await watch(verifier, request, scope, options);
    if (result.ok) {
      socket.on?.('close', () => result.stop());
      if (socket.destroyed !== true) return result;
      result.stop();
      return undefined;
    }
    const { status, headers, body } = refusalAnswer(result);
    const lines = Object.entries({ ...headers, 'Content-Length': `${body.length}`, Connection: 'close' });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`);
    // Nobody times what was upgraded: a caller that does not hang up would keep the connection.
    const cut = setTimeout(() => socket.destroy?.(), REFUSED_MS);
    socket.on?.('close', () => clearTimeout(cut));
    return undefined;
  };
}

/** Milliseconds in which a caller may read why it was refused. */
const REFUSED_MS = 2000;

/** By HTTP status: policy violation, unauthorized, forbidden, try again later. */
const CLOSE_CODES: { readonly [status in Refusal['status']]: number } = {
  400: 1008,
  401: 3000,
  403: 3003,
  503: 1013,
};

/** Milliseconds in which the other side may answer the closing. Until then it is still heard. */
const CLOSING_MS = 500;

/**
 * Closes the socket when the token no longer holds, at once where it does not by now, and stops watching when the socket is
 * closed. Whoever does not answer the closing (RFC 6455 §7.1.1) is cut, where the socket has `terminate`.
 */
export function closeWith(socket: WebSocketLike, watched: Watched): void {
  let cut: ReturnType<typeof setTimeout> | undefined;
  socket.addEventListener('close', () => {
    clearTimeout(cut);
    watched.stop();
  });
  const close = (): void => {
    const { status, error } = watched.signal.reason as Refusal;
    socket.close(CLOSE_CODES[status], error ?? '');
    cut = setTimeout(() => socket.terminate?.(), CLOSING_MS);
  };
  if (watched.signal.aborted) close();
  else watched.signal.addEventListener('abort', close);
}
