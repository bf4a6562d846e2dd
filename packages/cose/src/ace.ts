// ACE-OAuth in CBOR: parameters, grant types, token types, profiles and error codes as numbers (RFC 9200 §8, RFC 9201 §3, RFC 9202 §9).

/** `application/ace+cbor`: RFC 9200 §8.16. */
export const ACE_MEDIA_TYPE = 'application/ace+cbor';

/** CoAP Content-Formats: RFC 9200 §8.16, RFC 8392 §9.3. */
export const CONTENT_FORMAT = { aceCbor: 19, cwt: 61 } as const;

/** RFC 9200 §8.10, RFC 9201 §3. */
export const ACE = {
  accessToken: 1,
  expiresIn: 2,
  reqCnf: 4,
  audience: 5,
  cnf: 8,
  scope: 9,
  clientId: 24,
  clientSecret: 25,
  error: 30,
  errorDescription: 31,
  grantType: 33,
  tokenType: 34,
  aceProfile: 38,
  cnonce: 39,
  rsCnf: 41,
} as const;

/** RFC 9200 §5.9.4, table 7, and RFC 9201 §5. */
export const INTROSPECTION = {
  iss: 1,
  sub: 2,
  aud: 3,
  exp: 4,
  nbf: 5,
  iat: 6,
  cti: 7,
  cnf: 8,
  scope: 9,
  active: 10,
  token: 11,
  clientId: 24,
  tokenType: 34,
} as const;

/** RFC 9200 §8.5. */
export const ACE_GRANT_TYPE = { clientCredentials: 2 } as const;
/** RFC 9200 §8.7. */
export const ACE_TOKEN_TYPE = { bearer: 1, pop: 2 } as const;
/** RFC 9202 §9. */
export const ACE_PROFILE = { coapDtls: 1 } as const;

/** RFC 9200 §8.4, in the order of their numbers; the others have none. */
const ERRORS = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'unsupported_pop_key',
  'incompatible_ace_profiles',
] as const;

/** The number of an error code; undefined for one that has none, which goes by its name. */
export function aceErrorNumber(code: string): number | undefined {
  const at = (ERRORS as readonly string[]).indexOf(code);
  return at === -1 ? undefined : at + 1;
}

/** AS Request Creation Hints: RFC 9200 §5.3, table 1. */
export const HINT = { as: 1, kid: 2, audience: 5, scope: 9, cnonce: 39 } as const;
