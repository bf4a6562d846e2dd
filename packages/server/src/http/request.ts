import type { IncomingMessage } from 'node:http';
import { type CertificateHeaderFault, holdsSecret } from '@countersign/protocol';

/** What the caller showed in the TLS handshake, and has the private key of. Nothing is said about its validity. */
export interface ClientCertificate {
  /** DER, leaf first; at least one. After a resumed session the intermediates may be missing. */
  readonly chain: readonly Uint8Array[];
  /** Whether it came to this process's own socket, or a declared proxy says so. */
  readonly source: 'tls' | 'proxy';
  /** For who has found the chain good: a session that is resumed from its handshake then has the whole of it. */
  readonly keep?: (() => void) | undefined;
}

/** A request as it came, and the connection that it came by: Node's own, or what was read in its place. */
export type ReceivedRequest = Pick<IncomingMessage, 'method' | 'url' | 'rawHeaders' | 'socket'>;

/** One HTTP request, read once at the edge. Knows HTTP and no OAuth. */
export interface HttpRequest {
  readonly method: string;
  /** Path without query, as sent (not decoded). Starts with `/`. */
  readonly path: string;
  /** Text after `?`, without it; empty when there is none. */
  readonly query: string;
  /** Names and values in turn, as received: Node's joined view hides a second header of the same name. */
  readonly rawHeaders: readonly string[];
  /** Bounded by the route's limit. Empty when there is none, and once it was let go. */
  readonly body: Uint8Array;
  /** For who has read the body: whoever waits for an answer, by the thousand at times, does not keep it in memory. */
  readonly letGoOfBody?: () => void;
  /** `req_…`: in the answer's `Request-Id`, in each log line and audit event. */
  readonly id: string;
  /** Address of the caller: the peer's, or what a declared proxy says. */
  readonly source: string;
  /** Read when it is asked for: a request without one costs nothing. */
  readonly clientCertificate?: ClientCertificate | undefined;
  /** Why what its headers say about a certificate is not believed. Whoever authenticates a caller refuses it then. */
  readonly clientCertificateFault?: CertificateHeaderFault | undefined;
  /** Aborted when the caller has gone: whoever holds an answer back listens to it. */
  readonly signal?: AbortSignal | undefined;
}

export type HeaderReading =
  | { readonly kind: 'absent' }
  | { readonly kind: 'one'; readonly value: string }
  /** Sent more than once: for most headers a reason to refuse (RFC 9110 §5.3). */
  | { readonly kind: 'many' };

const ABSENT: HeaderReading = { kind: 'absent' };
const MANY: HeaderReading = { kind: 'many' };

/** `name` in lower case. */
export function header(request: Pick<HttpRequest, 'rawHeaders'>, name: string): HeaderReading {
  const raw = request.rawHeaders;
  let found: string | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const candidate = raw[i] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) {
      if (found !== undefined) return MANY;
      found = raw[i + 1] as string;
    }
  }
  return found === undefined ? ABSENT : { kind: 'one', value: found };
}

/** The value when the header was sent exactly once, else undefined. */
export function singleHeader(request: Pick<HttpRequest, 'rawHeaders'>, name: string): string | undefined {
  const reading = header(request, name);
  return reading.kind === 'one' ? reading.value : undefined;
}

const INSTANCE = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * Which running copy of itself the caller says it is (`Countersign-Instance`); undefined when it does not say, or says a secret: it
 * is written down, in a log from which nothing can be taken again.
 */
export function callerInstance(request: Pick<HttpRequest, 'rawHeaders'>): string | undefined {
  const value = singleHeader(request, 'countersign-instance');
  return value !== undefined && INSTANCE.test(value) && !holdsSecret(value) ? value : undefined;
}
