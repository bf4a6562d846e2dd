// Grant types: RFC 6749 §4.4, RFC 7523 §2.1, RFC 8693 §2.1.

export type GrantType =
  | 'client_credentials'
  | 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  | 'urn:ietf:params:oauth:grant-type:token-exchange';

export const CLIENT_CREDENTIALS: GrantType = 'client_credentials';
export const JWT_BEARER: GrantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
export const TOKEN_EXCHANGE: GrantType = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** The grants a machine can use. Those that need a human's browser do not exist here. */
export const GRANT_TYPES: readonly GrantType[] = [CLIENT_CREDENTIALS, JWT_BEARER, TOKEN_EXCHANGE];
