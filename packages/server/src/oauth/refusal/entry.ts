// What there is to say of a reason for a refusal: the inside of RFC 6749 §5.2.
import type { OAuthErrorCode } from '@countersign/protocol';

/** What the caller is told. */
export interface RefusalAnswer {
  readonly code: OAuthErrorCode;
  readonly status: 400 | 401 | 403 | 413 | 415 | 429 | 503;
  /** The whole of what a caller is told beside the code: it depends on the code's cause in public, never in private. */
  readonly description: string;
  /**
   * The caller has not proved who it is. Such refusals share one budget in the audit log and leave on a fixed beat, so
   * that neither text, time nor the log tells or costs anything by guessing.
   */
  readonly stranger: boolean;
}

/** What the operator is told: why it was, and what to do. */
export interface RefusalExplanation {
  readonly why: string;
  readonly fix: string;
}

export interface RefusalEntry extends RefusalAnswer, RefusalExplanation {}

/** The entries of one topic. */
export type Reasons<Name extends string> = { readonly [reason in Name]: RefusalEntry };

/** Of a caller that is a stranger still. */
export function malformed(description: string, status: 400 | 415 = 400): RefusalAnswer {
  return { code: 'invalid_request', status, description, stranger: true };
}

/** Of a client that has proved who it is: the log is not shared with strangers. */
export function denied(code: OAuthErrorCode, description: string): RefusalAnswer {
  return { code, status: 400, description, stranger: false };
}

/** One answer for all of them: from outside they cannot be told apart. */
export function answeredBy<Name extends string>(
  answer: RefusalAnswer,
  explanations: { readonly [reason in Name]: RefusalExplanation },
): Reasons<Name> {
  const entries = Object.entries<RefusalExplanation>(explanations);
  return Object.fromEntries(entries.map(([name, told]) => [name, { ...answer, ...told }])) as Reasons<Name>;
}

export const CORRECT_THE_CLIENT = 'Correct the client, or let an OAuth library build the request.';
