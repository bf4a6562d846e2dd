// What time and orders may have done to a token since it was signed: RFC 9068 §4, cut-offs.
import { type AuthenticToken, checkClaims } from './authority.ts';
import type { CutoffFollower } from './cutoff-feed.ts';
import type { Finding } from './finding.ts';
import type { Parts } from './load-parts.ts';
import type { LateParts } from './parts.ts';
import type { VerifierSettings } from './settings.ts';

/** What is there where an issuer has a feed. */
type CutoffParts = Parts & { readonly checkCutoffs: NonNullable<Parts['checkCutoffs']> };

export type CheckStanding = (
  token: string,
  verified: AuthenticToken,
  now: number,
) => Finding | undefined | Promise<Finding | undefined>;

/** Waits only where the feed was never asked, or the authority's word is needed instead of it. */
export function createStandingCheck(settings: VerifierSettings, parts: LateParts): CheckStanding {
  return checkStanding;

  function checkStanding(token: string, verified: AuthenticToken, now: number): ReturnType<CheckStanding> {
    const { authority } = verified;
    const outdated = checkClaims(verified, settings, now);
    if (outdated !== undefined || !authority.settings.followCutoffs) return outdated;
    const cutoffs = authority.cutoffs as CutoffFollower;
    if (!cutoffs.hasTried) {
      return cutoffs.tried().then(() => checkStanding(token, verified, settings.clock()));
    }
    const { checkCutoffs, introspection } = parts.loaded as CutoffParts;
    return checkCutoffs(token, verified, cutoffs, settings, introspection, now);
  }
}
