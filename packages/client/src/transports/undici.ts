// undici: `new Agent().compose(authorizeUndici(client))`, and every request through that dispatcher carries a token.
import type { Client, TokenTarget } from '../client.ts';

/** What is used of a request's options. */
export interface UndiciRequest {
  readonly method: string;
  readonly path: string;
  readonly origin?: string | URL;
  readonly headers?: unknown;
}

/** What is used of a handler, as undici 7 has it. */
export interface UndiciHandler {
  onResponseStart?(controller: never, status: number, headers: UndiciHeaders, message?: string): void;
  onResponseError?(controller: never, error: Error): void;
}

type UndiciHeaders = { readonly [name: string]: string | string[] | undefined };
type Dispatch<Request, Handler> = (options: Request, handler: Handler) => boolean;

/**
 * An interceptor. Nothing is sent twice: after a 401 for a token that is not taken any more, the next request has a new one.
 * What fails for want of a token fails with `TokenError`.
 */
export function authorizeUndici(
  client: Client,
  target: TokenTarget = {},
): <Request extends UndiciRequest, Handler extends UndiciHandler>(
  dispatch: Dispatch<Request, Handler>,
) => Dispatch<Request, Handler> {
  /** Where a request went first: a redirect comes again with the same handler, and is no reason to give another origin a token. */
  const origins = new WeakMap<object, string>();
  return (dispatch) => (options, handler) => {
    const url = new URL(options.path, options.origin);
    const first = origins.get(handler) ?? url.origin;
    if (first !== url.origin) return dispatch(options, handler);
    origins.set(handler, first);
    client
      .authorize({ method: options.method, url }, target)
      .then((authorization) => {
        const headers = [
          ...pairsOf(options.headers).filter(([name]) => !/^(?:authorization|dpop)$/i.test(name)),
          ...Object.entries(authorization.headers),
        ];
        const watching = {
          onResponseStart(controller: never, status: number, got: UndiciHeaders, message?: string): void {
            authorization.again(status, headersOf(got));
            handler.onResponseStart?.(controller, status, got, message);
          },
        };
        dispatch({ ...options, headers: headers.flat() }, inFrontOf(handler, watching));
      })
      .catch((error: unknown) => {
        handler.onResponseError?.(undefined as never, error as Error);
      });
    return true;
  };
}

/** The handler, with some of its methods replaced: it may be of any class. */
function inFrontOf<Handler extends object>(handler: Handler, replaced: object): Handler {
  return new Proxy(handler, {
    get(inner, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name) as unknown;
      const value: unknown = Reflect.get(inner, name);
      return typeof value === 'function' ? (value.bind(inner) as unknown) : value;
    },
  });
}

/** undici takes names and values in turn, an object, or anything that iterates over pairs. */
function pairsOf(headers: unknown): [string, string][] {
  if (typeof headers !== 'object' || headers === null) return [];
  if (Array.isArray(headers) && !Array.isArray(headers[0])) {
    const pairs: [string, string][] = [];
    for (let at = 0; at + 1 < headers.length; at += 2)
      pairs.push([String(headers[at]), String(headers[at + 1])]);
    return pairs;
  }
  const pairs =
    Symbol.iterator in headers
      ? [...(headers as Iterable<[string, string | string[]]>)]
      : Object.entries(headers as { [name: string]: string | string[] | undefined });
  return pairs.flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((each): [string, string] => [name, each]),
  );
}

function headersOf(got: UndiciHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(got)) {
    for (const each of value === undefined ? [] : [value].flat()) headers.append(name, each);
  }
  return headers;
}
