// Why there is no session: a closed set of codes; never a token in them.

export type ConnectionErrorCode =
  /** The authority gives no token, and asking again will not help: `cause` is its TokenError. */
  | 'refused_by_authority'
  /** The server does not take the token: `status` is its code. */
  | 'refused_by_server'
  /** The server takes no JSON Web Tokens on this endpoint. */
  | 'tokens_not_taken'
  /** The endpoint has no security policy with which a token can be encrypted. */
  | 'insecure_endpoint'
  /** The token is bound to a DPoP key, of which OPC UA has no proof. */
  | 'unusable_token'
  /** No connection, or no answer. */
  | 'unreachable'
  /** `close` was called. */
  | 'closed';

/** Rejection of connectOpcUa, and what a connection ends with. */
export class ConnectionError extends Error {
  readonly code: ConnectionErrorCode;
  /** The OPC UA status, as `BadIdentityTokenRejected`. */
  readonly status: string | undefined;

  constructor(
    code: ConnectionErrorCode,
    message: string,
    { status, cause }: { readonly status?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ConnectionError';
    this.code = code;
    this.status = status;
  }
}

/** The name of the status in a message of node-opcua, which has no other place for it. */
export function statusIn(message: string): string | undefined {
  return /\bBad[A-Z][A-Za-z]+/.exec(message)?.[0];
}
