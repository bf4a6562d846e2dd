// The ID token of a person's sign-in: OpenID Connect Core §3.1.3.7, RFC 8725 §3.
import { createHash } from 'node:crypto';
import { isNumericDate, type JsonObject, parseCompactJws, parseJsonObject } from '@countersign/protocol';
import { claimAt } from '../../registry/federation-rule.ts';
import type { TrustedIssuerRecord } from '../../storage/trusted-issuers.ts';
import { Refusal } from '../refusal.ts';
import {
  type IssuerKeysDeps,
  MAX_DEPTH,
  MAX_TOKEN_BYTES,
  maxAgeOf,
  requireSignature,
  requireTyp,
} from './issuer-signature.ts';
import { vouchedFor } from './vouched-for.ts';

/** Seconds by which clocks may differ. */
export const ID_TOKEN_LEEWAY = 30;
/** Groups that are looked at: who is in more of them than a token should list has no role. */
export const MOST_GROUPS = 500;

export interface IdToken {
  readonly subject: string;
  /** What the claims that the issuer's settings name say; nothing is checked but that they are texts. */
  readonly handle: string | undefined;
  readonly groups: readonly string[];
  /** Epoch seconds: when the person proved who it is, or else when the token says so. */
  readonly authTime: number;
  /** Names the one sign-in that the token is from. */
  readonly replayId: string;
  /** Epoch seconds: from then on it is refused for its age. */
  readonly endsAt: number;
}

export interface IdTokenAsked {
  readonly trustedIssuer: TrustedIssuerRecord;
  /** Who this authority is at that issuer. */
  readonly clientId: string;
  /** What only who began the sign-in knows: its SHA-256 is the `nonce` of the token. */
  readonly nonceVerifier: string;
}

type Fault =
  | 'malformed'
  | 'wrong_issuer'
  | 'wrong_subject'
  | 'wrong_audience'
  | 'wrong_authorized_party'
  | 'expired'
  | 'not_yet_valid'
  | 'stale'
  | 'wrong_nonce'
  | 'wrong_auth_time';

/** Reads an ID token at `now` (epoch ms). Throws `Refusal`. Whether it was used before is for the caller to ask. */
export async function readIdToken(
  deps: IssuerKeysDeps,
  text: string,
  asked: IdTokenAsked,
  now: number,
): Promise<IdToken> {
  const { trustedIssuer } = asked;
  const jws = parseCompactJws(text, MAX_TOKEN_BYTES);
  const parsed = jws.ok
    ? parseJsonObject(jws.payload, { maxDepth: MAX_DEPTH, maxBytes: MAX_TOKEN_BYTES })
    : undefined;
  if (!jws.ok || parsed?.ok !== true) throw refused('malformed');
  const claims: JsonObject = { __proto__: null, ...parsed.value };
  // §3.1.3.7, 2: exactly, before anything is fetched.
  if (claims['iss'] !== trustedIssuer.issuer) throw refused('wrong_issuer', { iss: told(claims['iss']) });
  await asSignIn(async () => {
    requireTyp(jws);
    await requireSignature(deps, jws, trustedIssuer, now);
  });
  return await vouchedFor(trustedIssuer, parsed.value, () => {
    requireAudience(claims, asked.clientId);
    const endsAt = requireTime(claims, trustedIssuer, Math.floor(now / 1000));
    const nonce = requireNonce(claims, asked.nonceVerifier);
    return {
      subject: requireSubject(claims),
      handle: handleOf(parsed.value, trustedIssuer),
      groups: groupsOf(parsed.value, trustedIssuer),
      authTime: authTimeOf(claims, Math.floor(now / 1000)),
      replayId: digest(JSON.stringify([trustedIssuer.issuer, nonce])),
      endsAt,
    };
  });
}

/** §2: at most 255 ASCII characters. */
function requireSubject({ sub }: JsonObject): string {
  if (typeof sub !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(sub)) throw refused('wrong_subject');
  return sub;
}

/** §3.1.3.7, 3 to 5: for us and for nobody else, and whoever asked for it is us. */
function requireAudience({ aud, azp }: JsonObject, clientId: string): void {
  const all: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (all.length !== 1 || all[0] !== clientId)
    throw refused('wrong_audience', { aud: told(aud), expected: clientId });
  if (azp !== undefined && azp !== clientId)
    throw refused('wrong_authorized_party', { azp: told(azp), expected: clientId });
}

/** §3.1.3.7, 9 and 10. */
function requireTime({ exp, iat, nbf }: JsonObject, trustedIssuer: TrustedIssuerRecord, now: number): number {
  if (!isNumericDate(exp) || !isNumericDate(iat)) throw refused('malformed');
  if (nbf !== undefined && !isNumericDate(nbf)) throw refused('malformed');
  if (exp <= now - ID_TOKEN_LEEWAY) throw refused('expired', { exp, now });
  if (Math.max(iat, nbf ?? 0) > now + ID_TOKEN_LEEWAY) throw refused('not_yet_valid', { iat, now });
  const maxTokenAge = maxAgeOf(iat, trustedIssuer);
  if (now - iat > maxTokenAge) throw refused('stale', { iat, max_token_age: maxTokenAge, now });
  return Math.min(exp, iat + maxTokenAge) + ID_TOKEN_LEEWAY;
}

/** §3.1.3.7, 11: whoever exchanges the token is who began the sign-in, and not who found it. */
function requireNonce({ nonce }: JsonObject, verifier: string): string {
  if (typeof nonce !== 'string' || nonce !== digest(verifier)) throw refused('wrong_nonce');
  return nonce;
}

/** §2: when the person was asked, which may be long before; without it, when the issuer signed. */
function authTimeOf({ auth_time: authTime, iat }: JsonObject, now: number): number {
  if (authTime === undefined) return Math.min(iat as number, now);
  if (!isNumericDate(authTime) || authTime > now + ID_TOKEN_LEEWAY) throw refused('wrong_auth_time');
  return Math.min(authTime, now);
}

/** An address that somebody only claims to have is nobody's name (§5.1: email_verified). */
function handleOf(claims: JsonObject, { people }: TrustedIssuerRecord): string | undefined {
  const claim = people?.handleClaim ?? 'email';
  if (claim === 'email' && claimAt(claims, 'email_verified') !== true) return undefined;
  const value = claimAt(claims, claim);
  return typeof value === 'string' ? value : undefined;
}

/** One text is no list: what would be a comma in it is not for us to say. */
function groupsOf(claims: JsonObject, { people }: TrustedIssuerRecord): readonly string[] {
  const value = claimAt(claims, people?.groupsClaim ?? 'groups');
  if (!Array.isArray(value) || value.length > MOST_GROUPS) return [];
  return (value as readonly unknown[]).filter((each): each is string => typeof each === 'string');
}

/** The reason of the signature's check becomes the detail of this one. */
async function asSignIn(check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal('sign_in_token_refused', undefined, {
      ...error.evidence,
      fault: error.reason.replace(/^assertion_/, ''),
    });
  }
}

function refused(fault: Fault, evidence: Readonly<Record<string, unknown>> = {}): Refusal {
  return new Refusal('sign_in_token_refused', undefined, { ...evidence, fault });
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function told(value: unknown): string | null {
  if (value === undefined) return null;
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 200);
}
