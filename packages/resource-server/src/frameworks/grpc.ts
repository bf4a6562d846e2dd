// gRPC, for servers of @grpc/grpc-js: an interceptor that lets a call pass. RFC 6750 §2.1 with metadata as headers; the
// challenge comes in the trailers, and the status code is the one that stands for the HTTP status.
import type { RequestHeaders } from '../presented-token.ts';
import type { Refusal } from '../refusal.ts';
import { requireScope as authorize, watchScope } from '../require-scope.ts';
import type { Verified } from '../token-request.ts';
import type { Verifier } from '../verifier.ts';
import type { Watched } from '../watch.ts';

/** What is used of grpc-js's Metadata. */
export interface GrpcMetadata {
  get(name: string): readonly (string | Uint8Array)[];
  set(name: string, value: string): void;
}

/** What is used of a call on the server. */
export interface GrpcCall<Metadata> {
  sendStatus(status: { code: number; details: string; metadata?: Metadata }): void;
  getAuthContext?(): { readonly sslPeerCertificate?: { readonly raw?: Uint8Array } };
}

interface Listener<Metadata> {
  onReceiveMetadata(metadata: Metadata, next: (metadata: Metadata) => void): void;
  onCancel(): void;
}
interface Responder<Metadata> {
  sendStatus<S>(status: S, next: (status: S) => void): void;
  start(next: (listener: Listener<Metadata>) => void): void;
  sendMetadata(metadata: Metadata, next: (metadata: Metadata) => void): void;
}

/** What is used of the module `@grpc/grpc-js`: it is handed over, because calls must be made of its own classes. */
export interface GrpcModule<Metadata, Call, Intercepting> {
  readonly ServerInterceptingCall: new (call: Call, responder: Responder<Metadata>) => Intercepting;
  readonly Metadata: new () => Metadata;
}

/** What is used of the definition of a method. */
export interface GrpcMethod {
  readonly path: string;
  readonly requestStream?: boolean;
  readonly responseStream?: boolean;
}

/** By HTTP status: invalid argument, unauthenticated, permission denied, unavailable. */
const CODES: { readonly [status in Refusal['status']]: number } = { 400: 3, 401: 16, 403: 7, 503: 14 };
const INTERNAL = 13;
const PERMISSION_DENIED = 7;

const authorized = new WeakMap<object, Verified>();

/** What the token of a call says, in its handler: `authOf(call.metadata)`. */
export function authOf(metadata: object): Verified | undefined {
  return authorized.get(metadata);
}

/**
 * An interceptor for `new Server({ interceptors: […] })`. `scopes` says by full path (`/fraud.Cases/List`) what a method needs.
 * A method that is not named there is refused to everybody. A stream is ended when its token no longer holds.
 */
export function requireScopes<M extends GrpcMetadata, Call extends GrpcCall<M>, Intercepting>(
  verifier: Verifier,
  { ServerInterceptingCall, Metadata }: GrpcModule<M, Call, Intercepting>,
  scopes: { readonly [path: string]: string | readonly string[] },
): (method: GrpcMethod, call: Call) => Intercepting {
  const needs = new Map(Object.entries(scopes));

  function refuse(call: Call, { status, error, headers }: Refusal): void {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name.toLowerCase(), value);
    call.sendStatus({ code: CODES[status], details: error ?? '', metadata });
  }

  return ({ path, requestStream = false, responseStream = false }, call) => {
    const isStream = requestStream || responseStream;
    let sent: Verified['headers'];
    let watched: Watched | undefined;
    let over = false;
    const stop = (): void => {
      over = true;
      watched?.stop();
    };

    async function open(
      request: RequestHeaders,
      scope: string | readonly string[],
    ): Promise<Watched | Refusal> {
      const result = await watchScope(verifier, request, scope);
      if (!result.ok) return result;
      result.signal.addEventListener('abort', () => refuse(call, result.signal.reason as Refusal));
      watched = result;
      // Cancelled while it was looked at.
      if (over) stop();
      return result;
    }

    async function decide(metadata: M, next: (metadata: M) => void): Promise<void> {
      const scope = needs.get(path);
      if (scope === undefined) {
        call.sendStatus({ code: PERMISSION_DENIED, details: 'no scope opens this method' });
        return;
      }
      const request = requestOf(path, metadata, call);
      const result = isStream ? await open(request, scope) : await authorize(verifier, request, scope);
      if (!result.ok) {
        refuse(call, result);
        return;
      }
      authorized.set(metadata, result);
      sent = result.headers;
      next(metadata);
    }

    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, forward) {
            decide(metadata, forward).catch(() => call.sendStatus({ code: INTERNAL, details: '' }));
          },
          onCancel: stop,
        }),
      sendMetadata(metadata, next) {
        for (const [name, value] of Object.entries(sent ?? {})) metadata.set(name.toLowerCase(), value);
        next(metadata);
      },
      sendStatus(status, next) {
        stop();
        next(status);
      },
    });
  };
}

/** A call is a POST to its path (the gRPC protocol over HTTP/2), which is what proofs of possession are for. */
function requestOf(
  path: string,
  metadata: GrpcMetadata,
  call: Pick<GrpcCall<never>, 'getAuthContext'>,
): RequestHeaders {
  const named = ['authorization', 'dpop', 'x-api-key'].map((name) => [name, metadata.get(name).map(String)]);
  const certificate = call.getAuthContext?.().sslPeerCertificate?.raw;
  return {
    headers: Object.fromEntries(named) as { [name: string]: string[] },
    method: 'POST',
    url: path,
    socket: { getPeerX509Certificate: () => (certificate === undefined ? undefined : { raw: certificate }) },
  };
}
