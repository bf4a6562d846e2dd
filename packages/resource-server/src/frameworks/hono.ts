// Hono: middleware that lets a request pass (RFC 6750 §3) and that serves the API's metadata (RFC 9728 §3).
import type { RequestHeaders } from '../presented-token.ts';
import { requireScope as authorize } from '../require-scope.ts';
import type { Verified } from '../token-request.ts';
import type { Verifier } from '../verifier.ts';
import { refusalAnswer } from './answer.ts';
import { headersOf, resourceMetadata as metadataOf, toResponse } from './fetch.ts';

/** What is used of a Hono context. */
export interface HonoContext {
  readonly req: { readonly raw: Request };
  /** On Node, `@hono/node-server` puts node's own request here: it has the certificate of the connection. */
  readonly env: unknown;
  set(name: 'auth', value: Verified): void;
  header(name: string, value: string): void;
}

/** What the context holds after `requireScope`: `new Hono<{ Variables: HonoAuth }>()`. */
export interface HonoAuth {
  auth: Verified;
}

export type HonoMiddleware = (context: HonoContext, next: () => Promise<void>) => Promise<Response | void>;

/** Middleware that lets a request pass only with a token that carries all of `scope`. */
export function requireScope(verifier: Verifier, scope: string | readonly string[]): HonoMiddleware {
  return async (context, next) => {
    const request = nodeRequest(context.env) ?? headersOf(context.req.raw);
    const result = await authorize(verifier, request, scope);
    if (!result.ok) return toResponse(refusalAnswer(result));
    context.set('auth', result);
    await next();
    for (const [name, value] of Object.entries(result.headers ?? {})) context.header(name, value);
    return undefined;
  };
}

/** Middleware that answers requests for the API's RFC 9728 document and passes on all others. */
export function resourceMetadata(verifier: Pick<Verifier, 'metadata'>): HonoMiddleware {
  const answerTo = metadataOf(verifier);
  return async (context, next) => {
    const response = answerTo(context.req.raw);
    if (response !== undefined) return response;
    await next();
    return undefined;
  };
}

function nodeRequest(env: unknown): RequestHeaders | undefined {
  const { incoming } = (env ?? {}) as { readonly incoming?: Partial<RequestHeaders> };
  return Array.isArray(incoming?.rawHeaders) ? (incoming as RequestHeaders) : undefined;
}
