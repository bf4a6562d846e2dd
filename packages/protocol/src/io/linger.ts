// The last answer on a connection: RFC 9112 §9.6. Works on whatever socket it is given.
import type { Duplex } from 'node:stream';

/** ms that a caller that still sends may take to read its answer. */
const LINGER_MS = 2000;

/**
 * Ends our side of a connection whose caller may still be sending. Closing it with bytes unread would reset it, and the answer be
 * lost; so it is read on for a while, into nothing.
 */
export function endLingering(socket: Duplex, last?: string | Uint8Array): void {
  if (last === undefined) socket.end();
  else socket.end(last);
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  cut.unref();
  socket.once('close', () => clearTimeout(cut));
  socket.resume();
}

/** For an answer that leaves before its request has come to an end, and is the last one: Node ends the connection so. */
export function lingerAfterAnswer(socket: { destroySoon?(): void } & Duplex): void {
  socket.destroySoon = () => endLingering(socket);
}
