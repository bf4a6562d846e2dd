// No RFC: what only some options need comes with the first token, so that an API carries no more than it uses.
import type { ApiKeys } from './api-keys.ts';
import type { Authority } from './authority.ts';
import type { CutoffFollower } from './cutoff-feed.ts';
import type { Introspection } from './introspection.ts';
import type { Platform } from './platform/platform.ts';
import type { VerifierSettings } from './settings.ts';
import type { Use } from './usage/use.ts';

export interface Parts {
  readonly introspection: Introspection | undefined;
  readonly apiKeys: ApiKeys | undefined;
  readonly use: Use | undefined;
}

/** Fetches them, and gives each authority what follows its cut-offs. Rejects when one of them is not there to fetch. */
export async function loadParts(
  authorities: readonly Authority[],
  settings: VerifierSettings,
  platform: Platform,
  signal: AbortSignal,
): Promise<Parts> {
  const { sha256 } = platform;
  const [introspection, apiKeys, use] = await Promise.all([
    settings.introspect &&
      import('./introspection.ts').then(
        ({ Introspection }) =>
          new Introspection({ client: settings.introspect as never, clock: settings.clock, sha256 }),
      ),
    settings.apiKeys &&
      import('./api-keys.ts').then(
        ({ ApiKeys }) => new ApiKeys(settings.apiKeys as never, { ...settings, sha256, signal }),
      ),
    settings.usage && import('./usage/use.ts').then(({ useOf }) => useOf(settings)),
    ...authorities.map((authority) => follow(authority, settings, platform)),
  ]);
  return { introspection, apiKeys, use };
}

async function follow(
  authority: Authority,
  settings: VerifierSettings,
  platform: Platform,
): Promise<CutoffFollower | undefined> {
  const { issuer, followCutoffs } = authority.settings;
  if (!followCutoffs) return undefined;
  const [{ CutoffFollower }, { CutoffReceipt }] = await Promise.all([
    import('./cutoff-feed.ts'),
    import('./cutoff-receipt.ts'),
  ]);
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
  return authority.cutoffs;
}
