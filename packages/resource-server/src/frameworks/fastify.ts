// Fastify: a hook that lets a request pass (RFC 6750 §3) and a plugin that serves the API's metadata (RFC 9728 §3).
import type { RequestHeaders } from '../presented-token.ts';
import { refusalBody, requireScope as authorize } from '../require-scope.ts';
import type { Verified, Verifier } from '../verifier.ts';

/** What is used of a Fastify request. After `requireScope`, `auth` holds claims and scopes. */
export interface FastifyRequestLike {
  readonly raw: RequestHeaders;
  auth?: Verified;
}

/** What is used of a Fastify reply. */
export interface FastifyReplyLike {
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(body: string): unknown;
}

/** What is used of a Fastify instance. */
export interface FastifyLike {
  get(path: string, handler: (request: unknown, reply: FastifyReplyLike) => unknown): unknown;
}

/** A `preHandler` or `onRequest` hook that lets a request pass only with a token that carries all of `scope`. */
export function requireScope(
  verifier: Verifier,
  scope: string | readonly string[],
): (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown> {
  return async (request, reply) => {
    const result = await authorize(verifier, request.raw, scope);
    if (result.ok) {
      request.auth = result;
      if (result.headers !== undefined) reply.headers({ ...result.headers });
      return undefined;
    }
    reply.code(result.status);
    reply.headers({ ...result.headers, 'Content-Type': 'application/json' });
    reply.send(refusalBody(result.error));
    // Fastify: an async hook that has answered returns the reply.
    return reply;
  };
}

/** Adds the route of the API's RFC 9728 document. */
export function resourceMetadata(fastify: FastifyLike, verifier: Pick<Verifier, 'metadata'>): void {
  const { metadata } = verifier;
  if (metadata === undefined) return;
  fastify.get(metadata.path.split('?')[0] as string, (_request, reply) => {
    reply.headers({ 'Content-Type': 'application/json', 'Cache-Control': 'max-age=300' });
    return reply.send(JSON.stringify(metadata.document));
  });
}
