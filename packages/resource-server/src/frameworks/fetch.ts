// Handlers from Request to Response, as Deno, Bun, edge runtimes and route handlers have them: RFC 6750 §3, RFC 9728 §3.
import type { RequestHeaders } from '../presented-token.ts';
import { requireScope as authorize } from '../require-scope.ts';
import type { Verified, Verifier } from '../verifier.ts';
import { type Answer, metadataAnswer, refusalAnswer } from './answer.ts';

/** Behind request and auth comes whatever the runtime hands over: an environment, a context, parameters. */
export type FetchHandler<Rest extends readonly unknown[]> = (
  request: Request,
  auth: Verified,
  ...rest: Rest
) => Response | Promise<Response>;

/** Wraps `handler`: it is called only with a token that carries all of `scope`, and is told what the token says. */
export function requireScope<Rest extends readonly unknown[]>(
  verifier: Verifier,
  scope: string | readonly string[],
  handler: FetchHandler<Rest>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  return async (request, ...rest) => {
    const result = await authorize(verifier, headersOf(request), scope);
    if (!result.ok) return toResponse(refusalAnswer(result));
    return withHeaders(await handler(request, result, ...rest), result.headers);
  };
}

/** The API's RFC 9728 document when the request is one for it, else undefined. */
export function resourceMetadata(
  verifier: Pick<Verifier, 'metadata'>,
): (request: Request) => Response | undefined {
  return ({ method, url }) => {
    const { pathname, search } = new URL(url);
    const answer = metadataAnswer(verifier.metadata, { method, target: `${pathname}${search}` });
    return answer && toResponse(answer);
  };
}

export function toResponse({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers });
}

/** The parts of a request that are read. There is no connection behind it, so it comes with no certificate. */
export function headersOf({ headers, method, url }: Request): RequestHeaders {
  const read = (name: string): string | undefined => headers.get(name) ?? undefined;
  return {
    headers: { authorization: authorizations(headers), dpop: read('dpop'), 'x-api-key': read('x-api-key') },
    method,
    url,
  };
}

/** `Headers` joins what came twice by a comma, which no token holds. */
function authorizations(headers: Headers): string[] | undefined {
  return headers
    .get('authorization')
    ?.split(/,(?=\s*(?:bearer|dpop)(?:\s|$))/i)
    .map((value) => value.trim());
}

/** The headers of a response that came from elsewhere cannot be changed, so it is a new one with the same body. */
export function withHeaders(response: Response, added: Verified['headers']): Response {
  if (added === undefined) return response;
  const changed = new Response(response.body, response);
  for (const [name, value] of Object.entries(added)) changed.headers.set(name, value);
  return changed;
}
