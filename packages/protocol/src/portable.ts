// No RFC: the face for what runs without Node. Nothing behind it imports from `node:`. Signatures and hashes are its user's.
export {
  type AccessTokenCheck,
  type AccessTokenRefusal,
  checkAccessToken,
  checkAccessTokenTimes,
} from './access-token.ts';
export { type AccessTokenClaims, parseAccessTokenClaims } from './access-token-claims.ts';
export { decodeBase64url, encodeBase64url } from './base64url.ts';
export { bearerChallenge, dpopChallenge, type TokenScheme, writeChallenge } from './challenge.ts';
export type { Confirmation } from './confirmation.ts';
export type { CutoffEntry, CutoffIndex } from './cutoff-feed.ts';
export { DPOP_ALGORITHMS } from './dpop-algorithms.ts';
export { inRange } from './ecdsa-range.ts';
export type { OAuthErrorCode } from './error-code.ts';
export type { PublicJwk } from './jwk.ts';
export { type JwsHeader, type ParsedJws, parseCompactJws, readCompactJws } from './jws.ts';
export { isJwsAlgorithm, JWS_ALGORITHMS, type JwsAlgorithm } from './jws-algorithm.ts';
export { parseResourceIndicator, type ResourceIndicator } from './resource-indicator.ts';
export { type ResourceMetadata, resourceMetadataUrl } from './resource-metadata.ts';
export { formatScope, parseScope, parseScopeToken, type ScopeToken } from './scope.ts';
export { type Issuer, isLoopback, isSecure, parseIssuer, type ServerMetadata } from './server-metadata.ts';
export { parseJsonObject } from './strict-json.ts';
export { JWT_TYP } from './token-type.ts';
export { decodeUtf8 } from './utf8.ts';
