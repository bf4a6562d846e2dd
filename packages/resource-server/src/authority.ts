// One issuer as a verifier knows it: whose keys sign (RFC 8725 §3.1), what they say (RFC 9068 §4), what was cut off.
import {
  type AccessTokenClaims,
  checkAccessToken,
  checkAccessTokenTimes,
  type CutoffIndex,
  isJwsAlgorithm,
  type JwsHeader,
  type ParsedJws,
  type VerificationKey,
  verifyJws,
} from '@countersign/protocol';
import { CutoffFollower } from './cutoff-feed.ts';
import { CutoffReceipt } from './cutoff-receipt.ts';
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
  /** `typ`, `iss` and `aud` were looked at: they and what is wanted of them do not change. */
  isOurs: boolean;
  /** The orders that did not cut it off. */
  clearedBy: CutoffIndex | undefined;
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
        receipt: new CutoffReceipt({ ...settings, source: settings.receipts }),
        onAlarm: settings.onCutoffAlarm,
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

/** RFC 9068 §4. What was right once stays so, but for the times. */
export function checkClaims(
  token: AuthenticToken,
  { settings: { issuer, allowPlainJwt } }: Authority,
  { leeway, audience }: VerifierSettings,
  now: number,
): Finding | undefined {
  const { header, claims } = token;
  const reason = token.isOurs
    ? checkAccessTokenTimes(claims, now, leeway)
    : checkAccessToken({ claims, header, now, issuer, audience, leeway, allowPlainJwt });
  if (reason !== undefined) return { reason };
  token.isOurs = true;
  return undefined;
}

/** The caller has waited until the feed was asked once. `introspection`: whom to ask instead. */
export function checkCutoffs(
  text: string,
  token: AuthenticToken,
  cutoffs: CutoffFollower,
  { onStale, staleAfter }: VerifierSettings,
  introspection: Introspection | undefined,
  now: number,
): Finding | undefined | Promise<Finding | undefined> {
  const { claims, signer } = token;
  // Nothing was ordered since it was last looked at.
  if (token.clearedBy !== cutoffs.index) {
    const order = cutoffs.cutOffBy(claims, signer?.kid);
    if (order !== undefined) {
      cutoffs.attempted(order);
      return { reason: 'cut_off', detail: order.kind };
    }
    token.clearedBy = cutoffs.index;
  }
  if (!cutoffs.isStale(now)) return undefined;
  if (signer === undefined || onStale === 'introspect')
    return wordInstead(introspection?.ask(text, staleAfter));
  if (onStale !== 'refuse' && now - claims.iat < onStale.acceptYoungerThan) return undefined;
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
