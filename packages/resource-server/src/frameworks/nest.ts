// Nest, on Express or Fastify: a guard that lets a request pass (RFC 6750 §3).
import type { RequestHeaders } from '../presented-token.ts';
import { requireScope as authorize } from '../require-scope.ts';
import type { Verified } from '../token-request.ts';
import type { Verifier } from '../verifier.ts';

/** What is used of Nest's ExecutionContext. */
export interface NestContext {
  switchToHttp(): { getRequest(): unknown; getResponse(): unknown };
}

/** What is used of Nest's HttpException: it is handed over, because only Nest's own passes its filters as one. */
export type HttpExceptionClass = new (body: Record<string, string>, status: number) => Error;

export interface NestGuard {
  canActivate(context: NestContext): Promise<boolean>;
}

/** What is used of a request, whichever platform it is of. After the guard, `auth` holds claims and scopes. */
export interface NestRequest {
  auth?: Verified;
}

type PlatformRequest = NestRequest & RequestHeaders & { readonly raw?: RequestHeaders };
interface PlatformResponse {
  header(name: string, value: string): unknown;
}

/**
 * `guard('fraud:read')` is a guard for `@UseGuards`, of a route or a whole controller. A refusal is thrown as `HttpException`
 * and goes through Nest's exception filters; its headers are set before.
 */
export function scopeGuard(
  verifier: Verifier,
  HttpException: HttpExceptionClass,
): (scope: string | readonly string[]) => NestGuard {
  return (scope) => ({
    async canActivate(context) {
      const http = context.switchToHttp();
      const request = http.getRequest() as PlatformRequest;
      const response = http.getResponse() as PlatformResponse;
      const result = await authorize(verifier, request.raw ?? request, scope);
      for (const [name, value] of Object.entries(result.headers ?? {})) response.header(name, value);
      if (!result.ok) {
        throw new HttpException(result.error === undefined ? {} : { error: result.error }, result.status);
      }
      request.auth = result;
      return true;
    },
  });
}
