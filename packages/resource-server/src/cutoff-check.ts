// Whether a token was cut off, and what holds while nobody knows: RFC 7662 §2 where the authority is asked instead.
import type { AuthenticToken } from './authority.ts';
import type { CutoffFollower } from './cutoff-feed.ts';
import type { Finding } from './finding.ts';
import type { Introspection } from './introspection.ts';
import type { VerifierSettings } from './settings.ts';

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
