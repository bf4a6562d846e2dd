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
import type { Introspection } from './introspection.ts';
import { Jwks } from './jwks.ts';
import type { IssuerSettings, VerifierSettings } from './settings.ts';

export interface Authority {
  readonly settings: IssuerSettings;
  readonly keys: Jwks;
  readonly cutoffs: CutoffFollower | undefined;
}

/** A token that is the authority's, by its signature or by its word. */
export interface AuthenticToken {
  readonly header: JwsHeader;
  readonly claims: AccessTokenClaims;
  /** Undefined where the authority was asked. */
  readonly signer: VerificationKey | undefined;
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
  { header, claims }: AuthenticToken,
  { settings: { issuer, allowPlainJwt } }: Authority,
  { clock, leeway, audience }: VerifierSettings,
): Finding | undefined {
  const now = clock();
  const reason = checkAccessToken({ claims, header, now, issuer, audience, leeway, allowPlainJwt });
  return reason === undefined ? undefined : { reason };
}

/** The caller has waited until the feed was asked once. `ask`: what the authority says of the token, at most so old. */
export function checkCutoffs(
  { claims, signer }: AuthenticToken,
  cutoffs: CutoffFollower,
  { clock, onStale, staleAfter }: VerifierSettings,
  ask: (maxAge: number) => ReturnType<Introspection['ask']> | undefined,
): Finding | undefined | Promise<Finding | undefined> {
  const kind = cutoffs.cutOffBy(claims, signer?.kid);
  if (kind !== undefined) return { reason: 'cut_off', detail: kind };
  if (!cutoffs.isStale()) return undefined;
  if (signer === undefined || onStale === 'introspect') return wordInstead(ask(staleAfter));
  if (onStale !== 'refuse' && clock() - claims.iat < onStale.acceptYoungerThan) return undefined;
  return { reason: 'cutoffs_stale' };
}

/** The authority's word is as good as its feed while it is as young. */
async function wordInstead(
  asked: ReturnType<Introspection['ask']> | undefined,
): Promise<Finding | undefined> {
  const answer = await asked;
  if (answer !== undefined && 'claims' in answer) return undefined;
  return answer?.reason === 'not_active' ? answer : { reason: 'cutoffs_stale' };
}
