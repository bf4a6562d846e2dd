// Fastify: a hook that lets a request pass (RFC 6750 §3) and a route that serves the API's metadata (RFC 9728 §3).
import type { RequestHeaders } from '../presented-token.ts';
import { requireScope as authorize } from '../require-scope.ts';
import type { Verified } from '../token-request.ts';
import type { Verifier } from '../verifier.ts';
import { type Answer, metadataAnswer, refusalAnswer } from './answer.ts';

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
    if (!result.ok) return send(reply, refusalAnswer(result));
    request.auth = result;
    if (result.headers !== undefined) reply.headers({ ...result.headers });
    return undefined;
  };
}

/** Adds the route of the API's RFC 9728 document. */
export function resourceMetadata(fastify: FastifyLike, verifier: Pick<Verifier, 'metadata'>): void {
  const { metadata } = verifier;
  if (metadata === undefined) return;
  const answer = metadataAnswer(metadata, { method: 'GET', target: metadata.path }) as Answer;
  fastify.get(metadata.path.split('?')[0] as string, (_request, reply) => send(reply, answer));
}

/** Fastify: an async hook or handler that has answered returns the reply. */
function send(reply: FastifyReplyLike, { status, headers, body }: Answer): FastifyReplyLike {
  reply.code(status);
  reply.headers({ ...headers });
  reply.send(body);
  return reply;
}
