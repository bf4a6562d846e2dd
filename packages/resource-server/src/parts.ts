// No RFC: what only some options need comes with the first token, so that an API carries no more than it uses.
import type { Authority } from './authority.ts';
import type { Parts } from './load-parts.ts';
import type { Platform } from './platform/platform.ts';
import type { VerifierSettings } from './settings.ts';
import type { OpenedRoute } from './usage/told-routes.ts';

export interface LateParts {
  /** Undefined until they are loaded. */
  readonly loaded: Parts | undefined;
  /** Once; again only when something was not there to fetch, for which it rejects. */
  load(): Promise<Parts>;
  /** Routers tell of routes before the first token. */
  opens(route: OpenedRoute): void;
  close(): Promise<void>;
}

/** As many as are told of. */
const MAX_ROUTES = 1000;

export function openParts(
  authorities: readonly Authority[],
  settings: VerifierSettings,
  platform: Platform,
  signal: AbortSignal,
): LateParts {
  let loading: Promise<Parts> | undefined;
  const earlyRoutes: OpenedRoute[] = [];

  function begin(parts: Parts): Parts {
    late.loaded = parts;
    if (signal.aborted) closeFeeds();
    for (const { cutoffs } of authorities) cutoffs?.start();
    for (const route of earlyRoutes.splice(0)) parts.use?.opens(route);
    parts.use?.start();
    return parts;
  }

  function closeFeeds(): void {
    for (const { cutoffs } of authorities) cutoffs?.close();
  }

  const late = {
    loaded: undefined as Parts | undefined,
    load: () =>
      (loading ??= import('./load-parts.ts')
        .then(({ loadParts }) => loadParts(authorities, settings, platform, signal))
        .then(begin, (error: unknown) => {
          loading = undefined;
          throw error;
        })),
    opens(route: OpenedRoute) {
      if (late.loaded !== undefined) late.loaded.use?.opens(route);
      else if (settings.usage !== undefined && earlyRoutes.length < MAX_ROUTES) earlyRoutes.push(route);
    },
    async close() {
      closeFeeds();
      await late.loaded?.use?.close();
    },
  };
  return late;
}
