// The face of @countersign/protocol: every name that other packages may use. One RFC object per file behind it.
export {
  type AccessTokenCheck,
  type AccessTokenRefusal,
  checkAccessToken,
  checkAccessTokenTimes,
} from './access-token.ts';
export {
  type AccessTokenClaim,
  type AccessTokenClaims,
  type AccessTokenClaimsFault,
  type AccessTokenClaimsResult,
  type Actor,
  type ExchangedToken,
  parseAccessTokenClaims,
} from './access-token-claims.ts';
export { parsePlainAccessTokenClaims } from './plain-access-token.ts';
export { decodeBase64url, encodeBase64url } from './base64url.ts';
export {
  type BasicCredentialsFault,
  type BasicCredentialsResult,
  formatBasicCredentials,
  parseBasicCredentials,
} from './basic-credentials.ts';
export { createCertificationRequest } from './certification-request.ts';
export {
  CERTIFICATE_HINT,
  type CertificateCredential,
  certificateCredential,
  parseCertificateCredential,
} from './certificate-credential.ts';
export { certificateThumbprint } from './certificate-thumbprint.ts';
export {
  type BearerChallenge,
  bearerChallenge,
  type DpopChallenge,
  dpopChallenge,
  type TokenScheme,
} from './challenge.ts';
export {
  candidateKeys,
  CLIENT_ASSERTION_ALGORITHMS,
  CLIENT_ASSERTION_LEEWAY,
  CLIENT_ASSERTION_MAX_LIFETIME,
  CLIENT_ASSERTION_TYP,
  CLIENT_ASSERTION_TYPE,
  type ClientAssertion,
  type ClientAssertionFault,
  type ClientAssertionKey,
  type ClientAssertionMismatch,
  type ClientAssertionResult,
  clientAssertionMismatch,
  type ClientJwkResult,
  isSignedBy,
  parseClientAssertion,
  parseClientJwk,
  SPIFFE_CLIENT_ASSERTION_TYPE,
} from './client-assertion.ts';
export { CLIENT_AUTH_METHODS, type ClientAuthMethodName } from './client-auth-method.ts';
export {
  CERTIFICATE_HEADER_DIALECTS,
  type CertificateChain,
  type CertificateHeaderDialect,
  type CertificateHeaderFault,
  type CertificateHeaderReading,
  namesCertificate,
  readCertificateHeader,
} from './client-certificate-header.ts';
export { type ClientId, parseClientId } from './client-id.ts';
export { type Confirmation, type ConfirmationMember, parseConfirmation } from './confirmation.ts';
export {
  type CutoffEntry,
  type CutoffFeed,
  type CutoffFeedFault,
  type CutoffFeedResult,
  type CutoffIndex,
  type CutoffKind,
  type CutoffSubject,
  cutOffBy,
  indexCutoffs,
  isCutOff,
  isKeyCutOff,
  CUTOFF_KINDS,
  MAX_CUTOFF_FEED_BYTES,
  parseCutoffFeed,
} from './cutoff-feed.ts';
export { DPOP_ALGORITHMS } from './dpop-algorithms.ts';
export { createDpopNonces, type DpopNonces } from './dpop-nonce.ts';
export {
  DPOP_MAX_AGE,
  DPOP_MAX_AHEAD,
  DPOP_PROOF_REASONS,
  DPOP_TYP,
  type DpopExpectation,
  type DpopProof,
  type DpopProofFault,
  type DpopProofReason,
  type DpopProofResult,
  dpopUri,
} from './dpop-proof.ts';
export { derToP1363 } from './ecdsa-signature.ts';
export { hasSmallOrder } from './ed25519-point.ts';
export { ERROR_CODE_TABLE, type ErrorCode, OAUTH_ERROR_CODES, type OAuthErrorCode } from './error-code.ts';
export { type ErrorResponse, receivedErrorCode } from './error-response.ts';
export { Form, type FormFault, type FormLimits, type FormResult, parseForm } from './form.ts';
export { decodeFormText, encodeFormText, type FormTextFault, formatForm } from './form-encoding.ts';
export { CLIENT_CREDENTIALS, GRANT_TYPES, type GrantType, JWT_BEARER, TOKEN_EXCHANGE } from './grant-type.ts';
export { type JsonWebKey, type JwkFault } from './jwk.ts';
export { type JwkSetLimits } from './jwk-set.ts';
export {
  type JwsFault,
  type JwsHeader,
  type JwsResult,
  type KnownHeaders,
  type ParsedJws,
  parseCompactJws,
  readCompactJws,
} from './jws.ts';
export {
  type EcdsaRow,
  type EddsaRow,
  isJwsAlgorithm,
  JWS_ALGORITHMS,
  type JwsAlgorithm,
  type JwsAlgorithmRow,
  type RsaRow,
} from './jws-algorithm.ts';
export {
  NEW_KEY_PROOF_MAX_AGE,
  NEW_KEY_PROOF_TYP,
  type NewKeyProofExpectation,
  type NewKeyProofFault,
  type NewKeyProofResult,
  newKeyNamedIn,
  readNewKeyProof,
} from './new-key-proof.ts';
export { isNumericDate } from './numeric-date.ts';
export { parseResourceIndicator, type ResourceIndicator } from './resource-indicator.ts';
export { type ResourceMetadata, resourceMetadataUrl } from './resource-metadata.ts';
export { rsaModulusFault } from './rsa-modulus.ts';
export { formatScope, parseScope, parseScopeToken, type ScopeToken } from './scope.ts';
export {
  generateSecret,
  holdsSecret,
  OPAQUE_TOKEN_PREFIX,
  parseSecret,
  type RandomBytes,
  type SecretKind,
} from './secret-format.ts';
export {
  generateWebhookSecret,
  WEBHOOK_SECRET_PREFIX,
  webhookSecretKey,
} from './webhook-secret.ts';
export {
  type Issuer,
  isLoopback,
  parseIssuer,
  type ServerMetadata,
  type WellKnownSuffix,
  wellKnownUrl,
} from './server-metadata.ts';
export {
  MAX_SPIFFE_ID_BYTES,
  MAX_TRUST_DOMAIN_BYTES,
  parseSpiffeId,
  parseTrustDomain,
  type SpiffeId,
  spiffeIdOf,
  type SpiffeIdText,
  type TrustDomain,
} from './spiffe-id.ts';
export {
  isJsonObject,
  type JsonFault,
  type JsonLimits,
  type JsonObject,
  type JsonObjectResult,
  parseJsonObject,
} from './strict-json.ts';
export { parseTokenResponse, type ReceivedTokenResponse, type TokenResponse } from './token-response.ts';
export { type AccessTokenType, JWT_TYP, TOKEN_TYPE, type TokenTypeIdentifier } from './token-type.ts';
export { decodeUtf8 } from './utf8.ts';
export { networkOf } from './network-of.ts';
export { plainAddress, type TrustedProxies, trustedProxies } from './trusted-proxies.ts';
export { accessTokenHash, checkDpopProof, dpopProofUse } from './dpop-proof-check.ts';
export {
  importPublicJwk,
  jwkThumbprint,
  parseJwkSet,
  parsePublicJwk,
  toPublicJwk,
  type JwkResult,
  type JwkSetResult,
  type VerificationKey,
} from './verification-key.ts';
export {
  isJwtSvidSignedBy,
  JWT_SVID_LEEWAY,
  JWT_SVID_TYP,
  type JwtSvid,
  type JwtSvidFault,
  type JwtSvidMismatch,
  jwtSvidMismatch,
  type JwtSvidResult,
  parseJwtSvid,
} from './jwt-svid.ts';
export {
  parseTrustBundle,
  type TrustBundle,
  type TrustBundleFault,
  type TrustBundleResult,
} from './trust-bundle.ts';
export { jwsSignature, signEs256, signJws, type SigningKey, verifyJws } from './jws-signature.ts';
export { asBuffer } from './as-buffer.ts';
export { type BoundedJsonLimits, parseBoundedJsonObject } from './bounded-json.ts';
