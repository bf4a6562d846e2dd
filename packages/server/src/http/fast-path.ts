import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { CallerCertificates, NamedCertificate } from './caller-certificate.ts';
import { edgeResponse } from './edge-errors.ts';
import { lingerAfterAnswer } from '@countersign/protocol/linger';
import type { ServePlain } from './plain-connections.ts';
import type { ClientCertificate, HttpRequest, ReceivedRequest } from './request.ts';
import type { HttpResponse, WriteAnswer } from './response.ts';
import type { Route } from './route.ts';

export interface EdgeDeps {
  readonly nextRequestId: () => string;
  readonly sourceOf: (message: ReceivedRequest) => string;
  readonly certificates: CallerCertificates;
  /** Tells the operator of a bug. */
  readonly report: (error: unknown, requestId: string) => void;
}

const NO_BODY = new Uint8Array(0);
const NO_PARAMS: Readonly<Record<string, string>> = {};

/**
 * Serves one route from Node's bare request: no router, no decoder stream, no objects that nobody reads. Only the token
 * endpoint is worth it: docs/decisions/0004-fastify-with-a-bare-token-path.md.
 */
export function serveFast(
  route: Route,
  deps: EdgeDeps,
  message: IncomingMessage,
  response: ServerResponse,
): void {
  const id = deps.nextRequestId();
  if (message.method !== route.method) {
    write(response, edgeResponse('method_not_allowed', route.errors, { allow: route.method }), id);
    message.resume();
    return;
  }
  let first: Uint8Array | undefined;
  /** All of them, where there is more than one: joined once at the end, or many small ones would cost the square. */
  let pieces: Uint8Array[] | undefined;
  let length = 0;
  message.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > route.bodyLimit) {
      // The rest is thrown away as it comes, until the caller has heard.
      if (response.headersSent) return;
      lingerAfterAnswer(message.socket);
      write(response, edgeResponse('body_too_large', route.errors, { connection: 'close' }), id);
    } else if (first === undefined) first = chunk;
    else (pieces ??= [first]).push(chunk);
  });
  message.on('end', () => {
    if (length > route.bodyLimit) return;
    const body = pieces === undefined ? (first ?? NO_BODY) : Buffer.concat(pieces);
    // The message keeps what listens to it, and that its pieces, until the answer leaves.
    first = pieces = undefined;
    answer(route, deps, message, body, id, (answered) => write(response, answered, id));
  });
}

/** The same, for requests that came plain and whole: docs/decisions/0033-plain-requests-past-the-http-library.md. */
export function servePlain(route: Route, deps: EdgeDeps): ServePlain {
  return (received, body, write) => answer(route, deps, received, body, deps.nextRequestId(), write);
}

function answer(
  route: Route,
  deps: EdgeDeps,
  received: ReceivedRequest,
  body: Uint8Array,
  id: string,
  write: WriteAnswer,
): void {
  const bug = (error: unknown): void => {
    deps.report(error, id);
    write(edgeResponse('bug', route.errors), id);
  };
  // What is thrown outside of the endpoint's promise would end the process.
  const send = (answered: HttpResponse): void => {
    try {
      write(answered, id);
    } catch (error) {
      bug(error);
    }
  };
  try {
    route.endpoint(toHttpRequest(received, body, id, deps), NO_PARAMS).then(send, bug);
  } catch (error) {
    bug(error);
  }
}

export function toHttpRequest(
  message: ReceivedRequest,
  body: Uint8Array,
  id: string,
  deps: Pick<EdgeDeps, 'sourceOf' | 'certificates'>,
  signal?: AbortSignal,
): HttpRequest {
  return new BareRequest(message, body, id, deps, signal);
}

/** A class, not a literal: one shape, and a getter that costs nothing until somebody asks. */
class BareRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly rawHeaders: readonly string[];
  body: Uint8Array;
  readonly id: string;
  readonly source: string;
  readonly signal: AbortSignal | undefined;
  readonly #message: ReceivedRequest;
  readonly #certificates: CallerCertificates;
  #named: NamedCertificate | undefined;
  #isNamedRead = false;

  constructor(
    message: ReceivedRequest,
    body: Uint8Array,
    id: string,
    deps: Pick<EdgeDeps, 'sourceOf' | 'certificates'>,
    signal: AbortSignal | undefined,
  ) {
    const url = message.url ?? '/';
    const mark = url.indexOf('?');
    this.method = message.method ?? 'GET';
    this.path = mark === -1 ? url : url.slice(0, mark);
    this.query = mark === -1 ? '' : url.slice(mark + 1);
    this.rawHeaders = message.rawHeaders;
    this.body = body;
    this.id = id;
    this.source = deps.sourceOf(message);
    this.signal = signal;
    this.#message = message;
    this.#certificates = deps.certificates;
  }

  letGoOfBody(): void {
    this.body = NO_BODY;
  }

  get clientCertificate(): ClientCertificate | undefined {
    const named = this.#readNamed();
    return named === undefined ? this.#certificates.shown(this.#message) : named.certificate;
  }

  get clientCertificateFault(): HttpRequest['clientCertificateFault'] {
    return this.#readNamed()?.fault;
  }

  #readNamed(): NamedCertificate | undefined {
    if (!this.#isNamedRead) this.#named = this.#certificates.named(this.#message);
    this.#isNamedRead = true;
    return this.#named;
  }
}

function write(response: ServerResponse, answer: HttpResponse, id: string): void {
  if (response.headersSent || response.destroyed) return;
  const headers = flat(answer.headers).concat(
    'Request-Id',
    id,
    // The length is known and the text ASCII or UTF-8: Node sends head and body in one write.
    'Content-Length',
    String(Buffer.byteLength(answer.body)),
  );
  // Named, because Node keeps the phrase of an answer whose headers it then refused.
  response.writeHead(answer.status, STATUS_CODES[answer.status] ?? 'unknown', headers);
  response.end(answer.body);
}

const flattened = new WeakMap<HttpResponse['headers'], readonly string[]>();

/** Names and values in turn, as Node takes them fastest; endpoints answer with the same few objects again and again. */
function flat(headers: HttpResponse['headers']): readonly string[] {
  let list = flattened.get(headers);
  if (list === undefined) flattened.set(headers, (list = Object.entries(headers).flat()));
  return list;
}
