// No RFC: which parts the options ask for, and what each is made of.
import type { ApiKeys } from './api-keys.ts';
import type { Authority } from './authority.ts';
import type { checkCutoffs } from './cutoff-check.ts';
import type { Introspection } from './introspection.ts';
import type { Platform } from './platform/platform.ts';
import type { VerifierSettings } from './settings.ts';
import type { Use } from './usage/use.ts';

export interface Parts {
  readonly introspection: Introspection | undefined;
  readonly apiKeys: ApiKeys | undefined;
  readonly use: Use | undefined;
  /** Undefined where no issuer has a feed. */
  readonly checkCutoffs: typeof checkCutoffs | undefined;
}

/** Fetches them, and gives each authority what follows its cut-offs. Rejects when one of them is not there to fetch. */
export async function loadParts(
  authorities: readonly Authority[],
  settings: VerifierSettings,
  platform: Platform,
  signal: AbortSignal,
): Promise<Parts> {
  const { sha256 } = platform;
  const [introspection, apiKeys, use, cutoffs] = await Promise.all([
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
    authorities.some((authority) => authority.settings.followCutoffs) ? import('./cutoffs.ts') : undefined,
  ]);
  for (const authority of authorities) cutoffs?.follow(authority, settings, platform);
  return { introspection, apiKeys, use, checkCutoffs: cutoffs?.checkCutoffs };
}
