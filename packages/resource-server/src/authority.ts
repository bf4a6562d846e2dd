// One issuer as a verifier knows it: whose keys sign (RFC 8725 §3.1), what they say (RFC 9068 §4), what was cut off.
import {
  type AccessTokenClaims,
  checkAccessToken,
  isJwsAlgorithm,
  type JwsHeader,
  type ParsedJws,
  type VerificationKey,
  verifyJws,
} from '@countersign/protocol';
import { CutoffFollower } from './cutoff-feed.ts';
import type { Finding } from './finding.ts';
import { Jwks } from './jwks.ts';
import type { IssuerSettings, VerifierSettings } from './settings.ts';

export interface Authority {
  readonly settings: IssuerSettings;
  readonly keys: Jwks;
  readonly cutoffs: CutoffFollower | undefined;
}

export function openAuthority(
  issuer: IssuerSettings,
  settings: VerifierSettings,
  signal: AbortSignal,
): Authority {
  const { fetch, clock, leeway, staleAfter } = settings;
  const keys = new Jwks(issuer, { fetch, clock, signal });
  const cutoffs = issuer.followCutoffs
    ? new CutoffFollower({
        issuer: issuer.issuer,
        keys,
        fetch,
        clock,
        leeway,
        staleAfter,
        random: Math.random,
      })
    : undefined;
  return { settings: issuer, keys, cutoffs };
}

/**
 * The key that made the signature. RFC 8725 §3.1: the algorithm must be allowed, and be the one that the key is pinned to.
 * At once where the key is known.
 */
export function findSigner(
  jws: ParsedJws,
  { settings, keys }: Authority,
): VerificationKey | Finding | Promise<VerificationKey | Finding> {
  const { alg, kid } = jws.header;
  if (!isJwsAlgorithm(alg) || !settings.algorithms.has(alg)) return { reason: 'algorithm_not_allowed' };
  const known = keys.known(kid, alg);
  if (known !== undefined) return signerOf(jws, known);
  return keys.find(kid, alg).then((key) => {
    if (key === 'unknown') return { reason: 'unknown_key' };
    if (key === 'unavailable') return { reason: 'keys_unavailable' };
    return signerOf(jws, key);
  });
}

function signerOf(jws: ParsedJws, key: VerificationKey): VerificationKey | Finding {
  return verifyJws(jws, key) ? key : { reason: 'bad_signature' };
}

/** RFC 9068 §4. */
export function checkClaims(
  header: JwsHeader,
  claims: AccessTokenClaims,
  { settings: { issuer, allowPlainJwt } }: Authority,
  { clock, leeway, audience }: VerifierSettings,
): Finding | undefined {
  const now = clock();
  const reason = checkAccessToken({ claims, header, now, issuer, audience, leeway, allowPlainJwt });
  return reason === undefined ? undefined : { reason };
}

/** The caller has waited until the feed was asked once. */
export function checkCutoffs(
  { kid }: VerificationKey,
  claims: AccessTokenClaims,
  cutoffs: CutoffFollower,
  { clock, onStale }: VerifierSettings,
): Finding | undefined {
  const kind = cutoffs.cutOffBy(claims, kid);
  if (kind !== undefined) return { reason: 'cut_off', detail: kind };
  if (!cutoffs.isStale()) return undefined;
  if (onStale !== 'refuse' && clock() - claims.iat < onStale.acceptYoungerThan) return undefined;
  return { reason: 'cutoffs_stale' };
}
