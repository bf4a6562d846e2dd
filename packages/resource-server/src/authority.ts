// One issuer as a verifier knows it: whose keys sign (RFC 8725 §3.1), what they say (RFC 9068 §4), what was cut off.
import {
  type AccessTokenClaims,
  checkAccessToken,
  checkAccessTokenTimes,
  type JwsAlgorithm,
  type JwsHeader,
  type ParsedJws,
} from '@countersign/protocol/portable';
import type { CutoffIndex } from '@countersign/protocol/cutoff-feed';
import type { CutoffFollower } from './cutoff-feed.ts';
import type { Finding } from './finding.ts';
import { Jwks } from './jwks.ts';
import type { Platform, PlatformKey } from './platform/platform.ts';
import type { IssuerSettings } from './issuer-settings.ts';
import type { VerifierSettings } from './settings.ts';

export interface Authority {
  readonly settings: IssuerSettings;
  readonly keys: Jwks;
  /** There from the first token on, where the issuer has a feed. */
  cutoffs: CutoffFollower | undefined;
}

/** A token that is the authority's, by its signature or by its word. */
export interface AuthenticToken {
  readonly authority: Authority;
  readonly header: JwsHeader;
  readonly claims: AccessTokenClaims;
  /** Undefined where the authority was asked. */
  readonly signer: PlatformKey | undefined;
  /** `typ`, `iss` and `aud` were looked at: they and what is wanted of them do not change. */
  isOurs: boolean;
  /** The orders that did not cut it off. */
  clearedBy: CutoffIndex | undefined;
}

export function openAuthority(
  issuer: IssuerSettings,
  { fetch, clock }: VerifierSettings,
  platform: Platform,
  signal: AbortSignal,
): Authority {
  const keys = new Jwks(issuer, { platform, fetch, clock, signal });
  return { settings: issuer, keys, cutoffs: undefined };
}

/**
 * The key that made the signature. RFC 8725 §3.1: the algorithm must be allowed, and be the one that the key is pinned to.
 * At once where the key is known.
 */
export function findSigner(
  jws: ParsedJws<unknown>,
  { settings, keys }: Authority,
  platform: Platform,
  now: number,
): PlatformKey | Finding | Promise<PlatformKey | Finding> {
  const { kid } = jws.header;
  const alg = jws.header.alg as JwsAlgorithm;
  if (!settings.algorithms.has(alg)) return { reason: 'algorithm_not_allowed' };
  const known = keys.known(kid, alg, now);
  if (known !== undefined) return signerOf(jws, known, platform);
  return keys.find(kid, alg).then((key) => {
    if (key === 'unknown') return { reason: 'unknown_key' };
    if (key === 'unavailable') return { reason: 'keys_unavailable' };
    return signerOf(jws, key, platform);
  });
}

function signerOf(
  jws: ParsedJws<unknown>,
  key: PlatformKey,
  platform: Platform,
): PlatformKey | Finding | Promise<PlatformKey | Finding> {
  const holds = platform.verify(jws, key);
  const judge = (good: boolean): PlatformKey | Finding => (good ? key : { reason: 'bad_signature' });
  return typeof holds === 'boolean' ? judge(holds) : holds.then(judge);
}

/** RFC 9068 §4. What was right once stays so, but for the times. */
export function checkClaims(
  token: AuthenticToken,
  { leeway, audience }: VerifierSettings,
  now: number,
): Finding | undefined {
  const { header, claims } = token;
  const { issuer, allowPlainJwt } = token.authority.settings;
  const reason = token.isOurs
    ? checkAccessTokenTimes(claims, now, leeway)
    : checkAccessToken({ claims, header, now, issuer, audience, leeway, allowPlainJwt });
  if (reason !== undefined) return { reason };
  token.isOurs = true;
  return undefined;
}
