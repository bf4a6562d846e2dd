// Client authentication methods: RFC 6749 §2.3.1, RFC 7523 §2.2, RFC 8705 §2; names as registered by RFC 8414 §7.3; the last two are of
// draft-ietf-oauth-spiffe-client-auth.

export const CLIENT_AUTH_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'spiffe_jwt',
  'spiffe_x509',
] as const;

export type ClientAuthMethodName = (typeof CLIENT_AUTH_METHODS)[number];
