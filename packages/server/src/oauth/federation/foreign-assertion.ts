// A token of another issuer as an authorization grant: RFC 7523 §3, RFC 7519 §4.1, RFC 8725 §3.
import { createHash } from 'node:crypto';
import {
  isNumericDate,
  type JsonObject,
  type JwsAlgorithm,
  type ParsedJws,
  parseCompactJws,
  parseJsonObject,
  parseJwkSet,
  type VerificationKey,
  verifyJws,
} from '@countersign/protocol';
import { type JwksCache, type JwksSource, pickByHeader } from '../../outbound/jwks-cache.ts';
import { OutboundRefusal } from '../../outbound/outbound-refusal.ts';
import type { TrustedIssuerRecord, TrustedIssuerStore } from '../../storage/trusted-issuers.ts';
import { Refusal } from '../refusal.ts';
import { vouchedFor } from './vouched-for.ts';

/** Seconds by which clocks may differ. */
export const ASSERTION_LEEWAY = 30;
const MAX_BYTES = 16_384;
const MAX_DEPTH = 16;
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

export interface ForeignAssertionDeps {
  readonly trustedIssuers: Pick<TrustedIssuerStore, 'byIssuer'>;
  readonly jwks: JwksCache;
  /** What an assertion may be for, where its issuer has no audience of its own: RFC 7523 §3, 3. */
  readonly audiences: readonly string[];
}

/** Reads an assertion at `now` (epoch ms). Throws `Refusal`. */
export async function readForeignAssertion(
  deps: ForeignAssertionDeps,
  text: string,
  now: number,
): Promise<ForeignAssertion> {
  const jws = parseCompactJws(text, MAX_BYTES);
  if (!jws.ok) throw new Refusal('assertion_malformed');
  const parsed = parseJsonObject(jws.payload, { maxDepth: MAX_DEPTH, maxBytes: MAX_BYTES });
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
  return trustedIssuer;
}

/** RFC 8725 §3.11: tokens that are something else say so. Platforms say nothing, or JWT. */
function requireTyp({ header: { typ } }: ParsedJws): void {
  if (typ !== undefined && !/^(?:application\/)?jwt$/i.test(typ)) throw new Refusal('assertion_wrong_typ');
}

async function requireSignature(
  deps: ForeignAssertionDeps,
  jws: ParsedJws,
  trustedIssuer: TrustedIssuerRecord,
  now: number,
): Promise<void> {
  const { alg } = jws.header;
  if (!trustedIssuer.algorithms.includes(alg)) {
    throw new Refusal('assertion_algorithm_not_allowed', undefined, about(trustedIssuer));
  }
  const key = await keyFor(deps, jws, trustedIssuer, now);
  if (key === undefined) throw new Refusal('assertion_key_unknown', undefined, about(trustedIssuer));
  if (!verifyJws(jws, key)) throw new Refusal('assertion_signature', undefined, about(trustedIssuer));
}

async function keyFor(
  { jwks }: ForeignAssertionDeps,
  jws: ParsedJws,
  trustedIssuer: TrustedIssuerRecord,
  now: number,
): Promise<VerificationKey | undefined> {
  const { keys, ca, issuer } = trustedIssuer;
  const pick = pickByHeader(jws.header);
  const rsaAlgorithm = rsaAlgorithmOf(trustedIssuer);
  if (keys.from === 'jwks') {
    const set = parseJwkSet(keys.jwks, rsaAlgorithm === undefined ? undefined : { rsaAlgorithm });
    return set.ok ? pick(set.keys) : undefined;
  }
  const source: JwksSource =
    keys.from === 'jwks_uri'
      ? { kind: 'jwks', url: keys.uri, ca, rsaAlgorithm }
      : { kind: 'discovery', url: issuer, ca, rsaAlgorithm };
  try {
    return await jwks.find(source, pick, now);
  } catch (error) {
    if (!(error instanceof OutboundRefusal)) throw error;
    throw new Refusal('assertion_keys_unavailable', undefined, {
      ...about(trustedIssuer),
      fetch: error.reason,
      host: error.host,
    });
  }
}

const RSA: readonly JwsAlgorithm[] = ['RS256', 'RS384', 'PS256'];

/** RFC 7517 §4.4: `alg` is optional, and a key has exactly one here: the first that the issuer is allowed. */
function rsaAlgorithmOf({ algorithms }: TrustedIssuerRecord): JwksSource['rsaAlgorithm'] {
  return algorithms.find((alg): alg is 'RS256' | 'RS384' | 'PS256' =>
    (RSA as readonly string[]).includes(alg),
  );
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

/** In seconds. Without `iat` there is `exp` alone, and a mark is kept until then. */
function maxAgeOf(
  iat: number | undefined,
  { maxTokenAge, earlierTokens, singleUse }: TrustedIssuerRecord,
): number {
  const isEarlier =
    singleUse && iat !== undefined && earlierTokens !== undefined && iat < earlierTokens.until;
  return isEarlier ? Math.min(maxTokenAge, earlierTokens.maxAge) : maxTokenAge;
}

/**
 * Without `jti` what was signed is the name: the signature itself may have another spelling that holds as well. An issuer that
 * is deleted and registered again is the same one.
 */
function replayIdOf(jws: ParsedJws, claims: JsonObject, { issuer }: TrustedIssuerRecord): string {
  const jti = own(claims, 'jti');
  const name = typeof jti === 'string' ? ['jti', jti] : ['signed', jws.signingInput];
  return createHash('sha256')
    .update(JSON.stringify([issuer, ...name]))
    .digest('base64url');
}

function own(claims: JsonObject, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

function told(value: unknown): string | null {
  return value === undefined
    ? null
    : (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 200);
}

function about({ id, issuer }: TrustedIssuerRecord): {
  readonly trusted_issuer: string;
  readonly issuer: string;
} {
  return { trusted_issuer: id, issuer };
}
