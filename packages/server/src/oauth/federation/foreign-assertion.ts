// A token of another issuer as an authorization grant: RFC 7523 §3, RFC 7519 §4.1, RFC 8725 §3.
import { isNumericDate, type JsonObject, parseCompactJws, parseJsonObject } from '@countersign/protocol';
import type { TrustedIssuerRecord, TrustedIssuerStore } from '../../storage/trusted-issuers.ts';
import { Refusal } from '../refusal.ts';
import {
  about,
  maxAgeOf,
  type IssuerKeysDeps,
  MAX_DEPTH,
  MAX_TOKEN_BYTES,
  replayIdOf,
  requireSignature,
  requireTyp,
} from './issuer-signature.ts';
import { vouchedFor } from './vouched-for.ts';

/** Seconds by which clocks may differ. */
export const ASSERTION_LEEWAY = 30;
/** Those that are registered are printable ASCII; what no issuer can be called is not looked up: no database takes NUL. */
const ISSUER = /^[\x21-\x7e]{1,2048}$/;

/** A token whose issuer is trusted, whose signature holds, and that is for this authority and of now. */
export interface ForeignAssertion {
  readonly trustedIssuer: TrustedIssuerRecord;
  readonly claims: JsonObject;
  /** The same for every copy of the token, whatever was done to its signature. */
  readonly replayId: string;
  /** Epoch seconds: from then on it is refused for its age. */
  readonly endsAt: number;
}

export interface ForeignAssertionDeps extends IssuerKeysDeps {
  readonly trustedIssuers: Pick<TrustedIssuerStore, 'byIssuer'>;
  /** What an assertion may be for, where its issuer has no audience of its own: RFC 7523 §3, 3. */
  readonly audiences: readonly string[];
}

/** Reads an assertion at `now` (epoch ms). Throws `Refusal`. */
export async function readForeignAssertion(
  deps: ForeignAssertionDeps,
  text: string,
  now: number,
): Promise<ForeignAssertion> {
  const jws = parseCompactJws(text, MAX_TOKEN_BYTES);
  if (!jws.ok) throw new Refusal('assertion_malformed');
  const parsed = parseJsonObject(jws.payload, { maxDepth: MAX_DEPTH, maxBytes: MAX_TOKEN_BYTES });
  if (!parsed.ok) throw new Refusal('assertion_malformed');
  const claims = parsed.value;
  const trustedIssuer = await issuerOf(deps, claims);
  requireTyp(jws);
  await requireSignature(deps, jws, trustedIssuer, now);
  return await vouchedFor(trustedIssuer, claims, () => {
    requireClaims(claims);
    requireAudience(claims, trustedIssuer.audience === undefined ? deps.audiences : [trustedIssuer.audience]);
    const endsAt = requireTime(claims, trustedIssuer, Math.floor(now / 1000));
    return { trustedIssuer, claims, replayId: replayIdOf(jws, claims, trustedIssuer), endsAt };
  });
}

/** What the token says of itself only chooses among the issuers that are trusted; nothing is fetched for others. */
async function issuerOf(deps: ForeignAssertionDeps, claims: JsonObject): Promise<TrustedIssuerRecord> {
  const iss = own(claims, 'iss');
  if (typeof iss !== 'string' || iss === '') throw new Refusal('assertion_malformed');
  const trustedIssuer = ISSUER.test(iss) ? await deps.trustedIssuers.byIssuer(iss) : undefined;
  if (trustedIssuer === undefined) throw new Refusal('assertion_issuer_unknown');
  if (trustedIssuer.state !== 'active')
    throw new Refusal('assertion_issuer_suspended', undefined, about(trustedIssuer));
  // It vouches for people: no machine is what it says of them.
  if (trustedIssuer.kind === 'people')
    throw new Refusal('assertion_issuer_of_people', undefined, about(trustedIssuer));
  return trustedIssuer;
}

/** RFC 7523 §3: iss, sub, aud and exp are required. Presence and type; what they say is for the others. */
function requireClaims(claims: JsonObject): void {
  const { sub, exp, iat, nbf, jti } = { __proto__: null, ...claims } as JsonObject;
  const malformed =
    typeof sub !== 'string' ||
    sub === '' ||
    !isNumericDate(exp) ||
    (iat !== undefined && !isNumericDate(iat)) ||
    (nbf !== undefined && !isNumericDate(nbf)) ||
    (jti !== undefined && (typeof jti !== 'string' || jti === ''));
  if (malformed) throw new Refusal('assertion_malformed');
}

/** RFC 7523 §3, 3. An audience beside ours may use the token here as we could use it there: refused (CVE-2025-27370). */
function requireAudience(claims: JsonObject, accepted: readonly string[]): void {
  const aud = own(claims, 'aud');
  const all = Array.isArray(aud) ? (aud as unknown[]) : [aud];
  const ours = all.length > 0 && all.every((each) => typeof each === 'string' && accepted.includes(each));
  if (!ours)
    throw new Refusal('assertion_audience', undefined, { aud: told(aud), expected: accepted.join(' ') });
}

/** RFC 7523 §3, 4 to 6. When it ends, by its own word or by how old its issuer's tokens may get. */
function requireTime(claims: JsonObject, trustedIssuer: TrustedIssuerRecord, now: number): number {
  const { exp, iat, nbf } = claims as { exp: number; iat?: number; nbf?: number };
  const maxTokenAge = maxAgeOf(iat, trustedIssuer);
  if (exp <= now - ASSERTION_LEEWAY) throw new Refusal('assertion_expired', undefined, { exp, now });
  if (Math.max(iat ?? 0, nbf ?? 0) > now + ASSERTION_LEEWAY) {
    throw new Refusal('assertion_not_yet_valid', undefined, { iat: iat ?? null, nbf: nbf ?? null, now });
  }
  const stale = iat === undefined ? exp - now > maxTokenAge : now - iat > maxTokenAge;
  if (stale)
    throw new Refusal('assertion_stale', undefined, { iat: iat ?? null, max_token_age: maxTokenAge, now });
  return Math.min(exp, iat === undefined ? exp : iat + maxTokenAge) + ASSERTION_LEEWAY;
}

function own(claims: JsonObject, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

function told(value: unknown): string | null {
  return value === undefined
    ? null
    : (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 200);
}
