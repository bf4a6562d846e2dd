// What can go wrong for a caller: RFC 6749 §5.2 and everything before it. A closed set of codes; never a secret in them.

/** Why there is no token. */
export type TokenErrorCode =
  /** The authority said no: `error` is its code (RFC 6749 §5.2). Trying again will not help. */
  | 'refused'
  /** The authority is overloaded or down: `retryAfter` says when to come back, if it said so. */
  | 'unavailable'
  /** No connection, or no answer in time. */
  | 'unreachable'
  /** The authority's certificate is not one to trust: give `fetch: fetchTrusting(ca)`, or renew it. */
  | 'untrusted_certificate'
  /** The authority's metadata cannot be found or used. */
  | 'discovery_failed'
  /** The answer is not a token response that can be used here. */
  | 'bad_response'
  /** The source of the subject token failed, or gave none: `cause` is what it said. */
  | 'no_subject_token'
  /** `fetch` was asked to send a token without encryption. */
  | 'insecure_url'
  /** The caller's signal. */
  | 'aborted'
  /** `close` was called. */
  | 'closed';

export interface TokenErrorFacts {
  /** The authority's error code, for `refused`. */
  readonly error?: string | undefined;
  readonly status?: number | undefined;
  /** The authority's `Request-Id`: what its operator can look the refusal up by. */
  readonly requestId?: string | undefined;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

/** Rejection of `token` and `fetch`. */
export class TokenError extends Error {
  readonly code: TokenErrorCode;
  readonly error: string | undefined;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: TokenErrorCode, message: string, facts: TokenErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'TokenError';
    this.code = code;
    this.error = facts.error;
    this.status = facts.status;
    this.requestId = facts.requestId;
    this.retryAfter = facts.retryAfter;
  }
}

export type ClientOptionFault = 'missing_option' | 'bad_option';

/** Thrown by createClient. `option` is the name of the option that must change. */
export class ClientOptionError extends TypeError {
  readonly code: ClientOptionFault;
  readonly option: string;

  constructor(code: ClientOptionFault, option: string, fix: string) {
    super(`${option}: ${fix}`);
    this.name = 'ClientOptionError';
    this.code = code;
    this.option = option;
  }
}
