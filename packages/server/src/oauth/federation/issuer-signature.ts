// Whether a trusted issuer signed a token: RFC 7515 §5.2, RFC 7517 §4, RFC 8725 §3.1, §3.11.
import { createHash } from 'node:crypto';
import {
  type JsonObject,
  type JwsAlgorithm,
  type ParsedJws,
  parseJwkSet,
  type VerificationKey,
  verifyJws,
} from '@countersign/protocol';
import { type JwksCache, type JwksSource, pickByHeader } from '../../outbound/jwks-cache.ts';
import { OutboundRefusal } from '../../outbound/outbound-refusal.ts';
import type { TrustedIssuerRecord } from '../../storage/trusted-issuers.ts';
import { Refusal } from '../refusal.ts';

export interface IssuerKeysDeps {
  readonly jwks: JwksCache;
}

export const MAX_TOKEN_BYTES = 16_384;
export const MAX_DEPTH = 16;

/** RFC 8725 §3.11: tokens that are something else say so. Platforms say nothing, or JWT. */
export function requireTyp({ header: { typ } }: ParsedJws): void {
  if (typ !== undefined && !/^(?:application\/)?jwt$/i.test(typ)) throw new Refusal('assertion_wrong_typ');
}

export async function requireSignature(
  deps: IssuerKeysDeps,
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
  { jwks }: IssuerKeysDeps,
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

/** In seconds. Without `iat` there is `exp` alone, and a mark is kept until then. */
export function maxAgeOf(
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
export function replayIdOf(
  jws: ParsedJws,
  claims: JsonObject,
  { issuer }: Pick<TrustedIssuerRecord, 'issuer'>,
): string {
  const jti = Object.hasOwn(claims, 'jti') ? claims['jti'] : undefined;
  const name = typeof jti === 'string' ? ['jti', jti] : ['signed', jws.signingInput];
  return createHash('sha256')
    .update(JSON.stringify([issuer, ...name]))
    .digest('base64url');
}

export function about({ id, issuer }: TrustedIssuerRecord): {
  readonly trusted_issuer: string;
  readonly issuer: string;
} {
  return { trusted_issuer: id, issuer };
}
