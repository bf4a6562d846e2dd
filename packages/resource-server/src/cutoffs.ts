// No RFC: everything about cut-offs, for where they are followed.
import type { Authority } from './authority.ts';
import { CutoffFollower } from './cutoff-feed.ts';
import { CutoffReceipt } from './cutoff-receipt.ts';
import type { Platform } from './platform/platform.ts';
import type { VerifierSettings } from './settings.ts';

export { checkCutoffs } from './cutoff-check.ts';

/** Gives an authority what follows its feed, if it has one. */
export function follow(authority: Authority, settings: VerifierSettings, platform: Platform): void {
  const { issuer, followCutoffs } = authority.settings;
  if (!followCutoffs) return;
  const { fetch, clock, leeway, staleAfter, receipts, onCutoffAlarm } = settings;
  authority.cutoffs = new CutoffFollower({
    issuer,
    keys: authority.keys,
    platform,
    fetch,
    clock,
    leeway,
    staleAfter,
    random: Math.random,
    receipt: new CutoffReceipt({ ...settings, source: receipts }),
    onAlarm: onCutoffAlarm,
  });
}
