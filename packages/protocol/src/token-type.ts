// Access token types (RFC 6749 §7.1, RFC 6750, RFC 9449 §5) and token type identifiers (RFC 8693 §3).

/** `token_type` of a token response; compared without case (RFC 6749 §5.1). `N_A` is RFC 8693 §2.2.1. */
export type AccessTokenType = 'Bearer' | 'DPoP' | 'N_A';

export const TOKEN_TYPE = {
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  idToken: 'urn:ietf:params:oauth:token-type:id_token',
} as const;

export type TokenTypeIdentifier = (typeof TOKEN_TYPE)[keyof typeof TOKEN_TYPE];

/** `typ` header values of the JWT kinds made here. Each kind has its own, so that none passes for another (RFC 8725 §3.11). */
export const JWT_TYP = {
  accessToken: 'at+jwt',
  cutoffs: 'cutoffs+jwt',
  statusList: 'statuslist+jwt',
} as const;
