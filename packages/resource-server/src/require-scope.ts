// Authorizing one HTTP request, whatever framework carries it: RFC 6750 §2.1, §3.
import { bearerToken, type RequestHeaders } from './bearer-token.ts';
import type { Verifier, VerifyResult } from './verifier.ts';

/** Finds the token of a request and checks it, including that it carries all of `scope`. */
export async function requireScope(
  verifier: Pick<Verifier, 'verify' | 'refuse'>,
  request: RequestHeaders,
  scope: string | readonly string[],
): Promise<VerifyResult> {
  const found = bearerToken(request);
  return found.ok ? verifier.verify(found.token, { scope }) : verifier.refuse(found.reason);
}

/** The body of a refusal: the registered code and nothing else (RFC 6749 §5.2 form). */
export function refusalBody(error: string | undefined): string {
  return error === undefined ? '{}' : JSON.stringify({ error });
}
