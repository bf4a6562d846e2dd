// Connections whose requests are all of the plainest form: RFC 9112 §9.3, §9.5, §9.6.
import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { writePlainAnswer } from './plain-answer.ts';
import { type PlainRequest, readPlainRequest } from './plain-request.ts';
import type { ReceivedRequest } from './request.ts';
import type { WriteAnswer } from './response.ts';

/** Serves one request, whole as it is; writes one answer, at once or later. */
export type ServePlain = (request: ReceivedRequest, body: Uint8Array, write: WriteAnswer) => void;

export interface PlainConnectionsOptions {
  readonly clock: Clock;
  readonly limits: PlainLimits;
  /** Who serves this request; undefined: it is not served in this way. */
  readonly servedBy: (request: PlainRequest) => ServePlain | undefined;
  /** The connection is HTTP's from here on, with what was read of it still to be read. */
  readonly handOver: (socket: Socket) => void;
  /** Nothing came for too long. */
  readonly timedOut: (socket: Socket) => void;
  /** A request was taken here. */
  readonly used: (socket: Socket) => void;
}

/** In ms. */
export interface PlainLimits {
  /** Until the first byte of a connection must be there. */
  readonly headersTimeout: number;
  readonly keepAliveTimeout: number;
  /** Without a byte in either direction while an answer is owed, or not read. */
  readonly stalledTimeout: number;
}

export interface PlainConnections {
  take(socket: Socket): void;
  /** From now on each answer is its connection's last; connections that owe none end. */
  drain(): void;
}

/** How often (ms) connections are looked at that may have been quiet for too long. */
const SWEEP_MS = 1000;

/**
 * Keeps connections as long as each of their requests comes alone, whole and plain, and is for somebody who is served here. The
 * first that is not makes its connection the HTTP library's, for good.
 */
export function createPlainConnections(options: PlainConnectionsOptions): PlainConnections {
  const connections = new Set<PlainConnection>();
  const context: Context = { ...options, draining: false, connections };
  let sweep: NodeJS.Timeout | undefined;
  const look = (): void => {
    for (const connection of connections) connection.endIfQuiet();
    if (connections.size > 0) return;
    clearInterval(sweep);
    sweep = undefined;
  };
  return {
    take(socket) {
      connections.add(new PlainConnection(socket, context));
      sweep ??= setInterval(look, SWEEP_MS).unref();
    },
    drain() {
      context.draining = true;
      for (const connection of connections) connection.endIfIdle();
    },
  };
}

interface Context extends PlainConnectionsOptions {
  draining: boolean;
  readonly connections: Set<PlainConnection>;
}

class PlainConnection {
  readonly #socket: Socket;
  readonly #context: Context;
  #state: 'silent' | 'busy' | 'idle' = 'silent';
  /** When it came into its state, ms of a clock that only goes forward. */
  #since = performance.now();
  /** Came while an answer was owed: to be read after that. */
  #early: Buffer | undefined;
  #halfClosed = false;

  constructor(socket: Socket, context: Context) {
    this.#socket = socket;
    this.#context = context;
    socket.on('data', this.#read);
    socket.on('end', this.#hearsNoMore);
    socket.on('error', ignore);
    socket.on('close', this.#leave);
  }

  readonly #read = (bytes: Buffer): void => {
    if (this.#state === 'busy') {
      this.#socket.pause();
      this.#early = bytes;
      return;
    }
    // Who does not read its answers has the library's patience, and its bounds.
    const request = this.#socket.writableLength === 0 ? readPlainRequest(bytes) : undefined;
    const serve = request === undefined ? undefined : this.#context.servedBy(request);
    if (request === undefined || serve === undefined) this.#handOver(bytes);
    else this.#serve(request, serve);
  };

  #serve({ method, url, rawHeaders, body }: PlainRequest, serve: ServePlain): void {
    if (this.#state === 'silent') this.#context.used(this.#socket);
    this.#become('busy');
    serve({ method, url, rawHeaders, socket: this.#socket }, body, this.#answer);
  }

  readonly #answer: WriteAnswer = (response, requestId) => {
    const socket = this.#socket;
    if (this.#state !== 'busy') return;
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const isLast = this.#context.draining || this.#halfClosed;
    const { clock, limits } = this.#context;
    const keptFor = isLast ? undefined : Math.floor(limits.keepAliveTimeout / 1000);
    writePlainAnswer(socket, response, { requestId, now: clock.now(), keptFor });
    this.#become('idle');
    if (isLast) socket.destroySoon();
    else if (this.#early !== undefined) this.#handOver(this.#early);
  };

  #become(state: 'busy' | 'idle'): void {
    this.#state = state;
    this.#since = performance.now();
  }

  #handOver(bytes: Buffer): void {
    const socket = this.#socket;
    this.#leave();
    socket.off('data', this.#read).off('end', this.#hearsNoMore).off('close', this.#leave);
    socket.pause();
    socket.unshift(bytes);
    this.#context.handOver(socket);
    socket.off('error', ignore);
    socket.resume();
  }

  readonly #hearsNoMore = (): void => {
    this.#halfClosed = true;
    if (this.#state !== 'busy') this.#socket.end();
  };

  readonly #leave = (): void => {
    this.#context.connections.delete(this);
  };

  #timeOut(): void {
    this.#leave();
    this.#socket.off('data', this.#read);
    this.#context.timedOut(this.#socket);
  }

  endIfIdle(): void {
    if (this.#state !== 'busy') this.#socket.destroySoon();
  }

  endIfQuiet(): void {
    const { headersTimeout, keepAliveTimeout, stalledTimeout } = this.#context.limits;
    const quiet = performance.now() - this.#since;
    if (this.#state === 'silent') {
      if (quiet >= headersTimeout) this.#timeOut();
    } else if (this.#state === 'busy' || this.#socket.writableLength > 0) {
      if (quiet >= stalledTimeout) this.#socket.destroy();
    } else if (quiet >= keepAliveTimeout) this.#socket.destroy();
  }
}

function ignore(): void {}
