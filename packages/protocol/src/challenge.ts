// The WWW-Authenticate challenges of a resource server: RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1; quoting: RFC 9110 §5.6.4.
import type { OAuthErrorCode } from './error-code.ts';

export interface BearerChallenge {
  readonly realm?: string;
  /** Left out when the request carried no token (RFC 6750 §3.1). */
  readonly error?: OAuthErrorCode;
  readonly error_description?: string;
  readonly scope?: string;
  /** URL of the RFC 9728 document. */
  readonly resource_metadata?: string;
}

export interface DpopChallenge extends BearerChallenge {
  /** JWS algorithms for proofs, one space apart. */
  readonly algs: string;
}

/** How an access token is presented, by the names of their registry (RFC 9110 §16.4.1). */
export type TokenScheme = 'Bearer' | 'DPoP';

const ORDER = ['error', 'error_description', 'scope', 'algs', 'resource_metadata'] as const;
/** RFC 6750 §3: %x20-21 / %x23-5B / %x5D-7E. Only `realm` may hold the two that need escaping. */
const OUTSIDE_REALM = /[^ -~]/g;
const OUTSIDE = /[^ !#-[\]-~]/g;

/** Writes a Bearer challenge. Characters that may not stand in a value become `?`, so that none can end it. */
export function bearerChallenge(challenge: BearerChallenge): string {
  return writeChallenge('Bearer', challenge, realmOf(challenge));
}

/** Writes a DPoP challenge in the same manner. */
export function dpopChallenge(challenge: DpopChallenge): string {
  return writeChallenge('DPoP', challenge, realmOf(challenge));
}

function realmOf({ realm }: BearerChallenge): string[] {
  if (realm === undefined) return [];
  return [`realm="${realm.replace(OUTSIDE_REALM, '?').replace(/["\\]/g, '\\$&')}"`];
}

/** Either, without a realm, which only few have. @param parts what is written already */
export function writeChallenge(
  scheme: TokenScheme,
  challenge: { readonly [name in (typeof ORDER)[number]]?: string | undefined },
  parts: string[] = [],
): string {
  for (const name of ORDER) {
    const value = challenge[name];
    if (value !== undefined) parts.push(`${name}="${value.replace(OUTSIDE, '?')}"`);
  }
  return parts.length === 0 ? scheme : `${scheme} ${parts.join(', ')}`;
}
