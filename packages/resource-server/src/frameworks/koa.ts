// Koa: middleware that lets a request pass (RFC 6750 §3) and that serves the API's metadata (RFC 9728 §3).
import type { RequestHeaders } from '../presented-token.ts';
import { requireScope as authorize } from '../require-scope.ts';
import type { Verified } from '../token-request.ts';
import type { Verifier } from '../verifier.ts';
import { type Answer, metadataAnswer, refusalAnswer } from './answer.ts';

/** What is used of a Koa context. After `requireScope`, `state.auth` holds claims and scopes. */
export interface KoaContext {
  /** Node's own. */
  readonly req: RequestHeaders;
  /** The target as it came, whatever routers made of `req.url`. */
  readonly originalUrl: string;
  readonly state: { auth?: Verified };
  status: number;
  body: unknown;
  set(headers: Record<string, string>): unknown;
}

export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<void>;

/** Middleware that lets a request pass only with a token that carries all of `scope`. */
export function requireScope(verifier: Verifier, scope: string | readonly string[]): KoaMiddleware {
  return async (context, next) => {
    const { rawHeaders, headers, method, socket } = context.req;
    const request = { rawHeaders, headers, method, socket, url: context.originalUrl };
    const result = await authorize(verifier, request, scope);
    if (!result.ok) {
      send(context, refusalAnswer(result));
      return;
    }
    context.state.auth = result;
    if (result.headers !== undefined) context.set({ ...result.headers });
    await next();
  };
}

/** Middleware that answers requests for the API's RFC 9728 document and passes on all others. */
export function resourceMetadata(verifier: Pick<Verifier, 'metadata'>): KoaMiddleware {
  return async (context, next) => {
    const { originalUrl: target, req } = context;
    const answer = metadataAnswer(verifier.metadata, { method: req.method, target });
    if (answer === undefined) await next();
    else send(context, answer);
  };
}

function send(context: KoaContext, { status, headers, body }: Answer): void {
  context.status = status;
  context.body = body;
  // Behind the body, which would set a type of its own.
  context.set({ ...headers });
}
