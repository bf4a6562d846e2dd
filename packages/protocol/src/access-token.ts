// Validating a JWT access token, everything but the signature: RFC 9068 §4.
import type { AccessTokenClaims } from './access-token-claims.ts';
import type { JwsHeader } from './jws.ts';

export type AccessTokenRefusal =
  | 'wrong_typ'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'expired'
  | 'not_yet_valid'
  | 'issued_in_the_future';

export interface AccessTokenCheck {
  readonly claims: AccessTokenClaims;
  readonly header: JwsHeader;
  /** Epoch seconds. */
  readonly now: number;
  readonly issuer: string;
  /** The token must name at least one of these. */
  readonly audience: string | readonly string[];
  /** Seconds by which the clocks may differ; the caller keeps it at or under 60. */
  readonly leeway: number;
  /** Also take `typ: JWT` and an absent `typ`, for issuers that do not follow RFC 9068. Default false. */
  readonly allowPlainJwt?: boolean;
}

/** Why the token must not be accepted, or `undefined` when all is well. The signature has been verified before. */
export function checkAccessToken(check: AccessTokenCheck): AccessTokenRefusal | undefined {
  const { claims, now, leeway } = check;
  if (!typIsAccessToken(check.header.typ, check.allowPlainJwt === true)) return 'wrong_typ';
  // RFC 9068 §4: exactly the issuer, as strings.
  if (claims.iss !== check.issuer) return 'wrong_issuer';
  if (!audienceNames(claims.aud, check.audience)) return 'wrong_audience';
  return checkAccessTokenTimes(claims, now, leeway);
}

/** The part of `checkAccessToken` that the passing of time can change. */
export function checkAccessTokenTimes(
  claims: AccessTokenClaims,
  now: number,
  leeway: number,
): AccessTokenRefusal | undefined {
  // RFC 7519 §4.1.4: on or after exp it must not be accepted.
  if (now >= claims.exp + leeway) return 'expired';
  if (claims.nbf !== undefined && now + leeway < claims.nbf) return 'not_yet_valid';
  if (now + leeway < claims.iat) return 'issued_in_the_future';
  return undefined;
}

/** RFC 9068 §4 and RFC 7515 §4.1.9: media types are compared without case, `application/` may be left out. */
function typIsAccessToken(typ: string | undefined, allowPlainJwt: boolean): boolean {
  if (typ === undefined) return allowPlainJwt;
  const name = typ.toLowerCase();
  if (name === 'at+jwt' || name === 'application/at+jwt') return true;
  return allowPlainJwt && (name === 'jwt' || name === 'application/jwt');
}

function audienceNames(aud: readonly string[], audience: string | readonly string[]): boolean {
  return typeof audience === 'string' ? aud.includes(audience) : audience.some((name) => aud.includes(name));
}
