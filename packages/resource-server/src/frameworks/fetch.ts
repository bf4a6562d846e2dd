// Handlers from Request to Response, as Deno, Bun, edge runtimes and route handlers have them: RFC 6750 §3, RFC 9728 §3.
import type { RequestHeaders } from '../presented-token.ts';
import { requireScope as authorize, watchScope as watch } from '../require-scope.ts';
import type { Verified } from '../token-request.ts';
import type { Verifier } from '../verifier.ts';
import type { Watched, WatchOptions } from '../watch.ts';
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

/**
 * The same for a response that goes on: its body is ended when the token no longer holds, and the token no longer watched
 * when the body has ended.
 */
export function watchScope<Rest extends readonly unknown[]>(
  verifier: Verifier,
  scope: string | readonly string[],
  handler: (request: Request, watched: Watched, ...rest: Rest) => Response | Promise<Response>,
  options?: WatchOptions,
): (request: Request, ...rest: Rest) => Promise<Response> {
  return async (request, ...rest) => {
    const result = await watch(verifier, headersOf(request), scope, options);
    if (!result.ok) return toResponse(refusalAnswer(result));
    return await respondWith(result, () => handler(request, result, ...rest));
  };
}

/** What the handler answers; its body ends with the token. */
export async function respondWith(
  watched: Watched,
  handle: () => Response | Promise<Response>,
): Promise<Response> {
  const response = await handled(watched, handle);
  if (response.body === null) watched.stop();
  const body = response.body === null ? null : endingWith(response.body, watched);
  return withHeaders(new Response(body, response), watched.headers);
}

/** A handler that fails leaves no stream to watch. */
async function handled(watched: Watched, handle: () => Response | Promise<Response>): Promise<Response> {
  try {
    return await handle();
  } catch (error) {
    watched.stop();
    throw error;
  }
}

/** The same bytes, until the signal is aborted; it may be already. */
function endingWith(body: ReadableStream<Uint8Array>, watched: Watched): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const { signal } = watched;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const end = (): void => {
        // Where it is over already this throws, in a listener: the process would end of it.
        try {
          controller.close();
        } catch {
          return;
        }
        reader.cancel().catch(() => undefined);
      };
      if (signal.aborted) end();
      else signal.addEventListener('abort', end);
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (signal.aborted) return;
        if (!done) {
          controller.enqueue(value);
          return;
        }
        watched.stop();
        controller.close();
      } catch (error) {
        // What broke off is not ended a second time.
        watched.stop();
        throw error;
      }
    },
    cancel(reason) {
      watched.stop();
      return reader.cancel(reason);
    },
  });
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
