// The answer with a token: RFC 6749 §5.1, RFC 8693 §2.2.1.
import type { HttpResponse } from '../../http/response.ts';
import type { SenderConstraint } from '../sender-constraint/constraint.ts';
import type { Authorization, IssueTerms } from '../tokens/authorization.ts';
import type { IssuedToken } from '../tokens/issue.ts';

const TOKEN_HEADERS = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  pragma: 'no-cache',
} as const;

/** RFC 6749 §5.1; `scope` always stated, so that a narrowed one is never a surprise. No refresh token (§4.4.3). */
export function tokenResponse(
  accessToken: string,
  token: IssuedToken,
  { issuedTokenType }: Authorization,
  headers: HttpResponse['headers'],
): HttpResponse {
  const issuedType = issuedTokenType === undefined ? '' : `"issued_token_type":"${issuedTokenType}",`;
  const body = `{"access_token":"${accessToken}",${issuedType}"token_type":"${token.tokenType}","expires_in":${token.expiresIn},"scope":"${token.scope}"}`;
  return { status: 200, headers, body };
}

/** RFC 9449 §8.2: who bound a token may be told what the next proof needs. */
export function answerHeaders(
  { constraints }: { readonly constraints: readonly SenderConstraint[] },
  confirmation: IssueTerms['confirmation'],
  now: number,
): HttpResponse['headers'] {
  if (confirmation === undefined) return TOKEN_HEADERS;
  let headers: HttpResponse['headers'] = TOKEN_HEADERS;
  for (const constraint of constraints) headers = { ...headers, ...constraint.answer?.(confirmation, now) };
  return headers;
}
