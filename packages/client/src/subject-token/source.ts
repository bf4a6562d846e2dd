// Where a workload gets the token of a trusted issuer from that it comes with: the assertion of RFC 7523 §2.1.
import { TokenError } from '../errors.ts';

export interface SubjectTokenRequest {
  /** The authority that the token is shown to, and so the audience that it should have (RFC 7523 §3, point 3). */
  readonly issuer: string;
  /** Ends when the client is closed. */
  readonly signal: AbortSignal;
}

/** Asked anew for every token request and every attempt, so that tokens may rotate and be good for one use. */
export type SubjectTokenSource = (request: SubjectTokenRequest) => string | Promise<string>;

/**
 * What the source gives, without the line end that files have.
 * @throws TokenError: `no_subject_token`, or what the source says of trouble that passes. Never repeats the token.
 */
export async function readSubjectToken(
  source: SubjectTokenSource,
  request: SubjectTokenRequest,
): Promise<string> {
  let given: unknown;
  try {
    given = await source(request);
  } catch (error) {
    if (error instanceof TokenError) throw error;
    throw new TokenError('no_subject_token', 'the source of the subject token failed', { cause: error });
  }
  const token = typeof given === 'string' ? given.trim() : '';
  if (isSubjectToken(token)) return token;
  throw new TokenError('no_subject_token', 'the source of the subject token gave no token');
}

/** RFC 6749 appendix A.12. */
export function isSubjectToken(text: string): boolean {
  return /^[\x20-\x7e]+$/.test(text);
}
