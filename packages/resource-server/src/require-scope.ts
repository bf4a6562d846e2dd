// Authorizing one HTTP request, whatever framework carries it: RFC 6750 §2.1, §3, RFC 9449 §7.1, RFC 8705 §3.
import { type PresentedToken, presentedToken, type RequestHeaders } from './presented-token.ts';
import type { Refusal } from './refusal.ts';
import type { TokenRequest, VerifyResult } from './token-request.ts';
import type { Verifier } from './verifier.ts';
import type { Watched, WatchOptions } from './watch.ts';

/** Finds the token of a request and checks it, including that it carries all of `scope`. */
export async function requireScope(
  verifier: Pick<Verifier, 'verify' | 'refuse' | 'certificateOf'> &
    Partial<Pick<Verifier, 'takesApiKeys' | 'onRefusal'>>,
  request: RequestHeaders,
  scope: string | readonly string[],
): Promise<VerifyResult> {
  const found = presentedToken(request, { apiKeys: verifier.takesApiKeys === true });
  const result = found.ok
    ? await verifier.verify(found.token, tokenRequest(found, request, scope, verifier))
    : verifier.refuse(found.reason, found.scheme);
  return tell(verifier, request, result);
}

/**
 * The same for a request that begins a stream: what is accepted has a `signal` that is aborted when the stream must end,
 * and `stop` for when it has ended.
 */
export async function watchScope(
  verifier: Pick<Verifier, 'watch' | 'refuse' | 'certificateOf'> &
    Partial<Pick<Verifier, 'takesApiKeys' | 'onRefusal'>>,
  request: RequestHeaders,
  scope: string | readonly string[],
  options?: WatchOptions,
): Promise<Watched | Refusal> {
  const found = presentedToken(request, { apiKeys: verifier.takesApiKeys === true });
  const result = found.ok
    ? await verifier.watch(found.token, tokenRequest(found, request, scope, verifier), options)
    : verifier.refuse(found.reason, found.scheme);
  return tell(verifier, request, result);
}

/** What goes wrong in a log must not change the answer. */
function tell<T extends { readonly ok: true }>(
  { onRefusal }: Partial<Pick<Verifier, 'onRefusal'>>,
  request: RequestHeaders,
  result: T | Refusal,
): T | Refusal {
  if (!result.ok) {
    try {
      onRefusal?.(result, request);
    } catch {}
  }
  return result;
}

function tokenRequest(
  { scheme, dpop }: PresentedToken,
  request: RequestHeaders,
  scope: string | readonly string[],
  verifier: Pick<Verifier, 'certificateOf'>,
): TokenRequest {
  if (scheme === 'Bearer') return new BearerRequest(request, scope, verifier);
  return {
    scope,
    scheme,
    dpop,
    method: request.method ?? '',
    url: pathOf(request.originalUrl ?? request.url ?? ''),
    certificate: verifier.certificateOf(request),
  };
}

/** Asks for the certificate only when the token is bound to one. */
class BearerRequest implements TokenRequest {
  readonly scheme = 'Bearer';
  readonly scope: string | readonly string[];
  readonly #request: RequestHeaders;
  readonly #verifier: Pick<Verifier, 'certificateOf'>;

  constructor(
    request: RequestHeaders,
    scope: string | readonly string[],
    verifier: Pick<Verifier, 'certificateOf'>,
  ) {
    this.#request = request;
    this.#verifier = verifier;
    this.scope = scope;
  }

  get certificate(): Uint8Array | undefined {
    return this.#verifier.certificateOf(this.#request);
  }
}

/** The body of a refusal: the registered code and nothing else (RFC 6749 §5.2 form). */
export function refusalBody(error: string | undefined): string {
  return error === undefined ? '{}' : JSON.stringify({ error });
}

/** Path and query of a request target. In its absolute form it names a host, which is the caller's word (RFC 9112 §3.2.2). */
function pathOf(target: string): string {
  if (target.startsWith('/')) return target;
  if (!URL.canParse(target)) return '/';
  const { pathname, search } = new URL(target);
  return `${pathname.startsWith('/') ? '' : '/'}${pathname}${search}`;
}
