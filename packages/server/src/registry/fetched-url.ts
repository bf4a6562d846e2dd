import { RegistryRefusal } from './refusal.ts';

/** For whatever registers a URL from which this authority is to fetch keys. */
export interface FetchDeps {
  /**
   * Why nothing would ever be fetched from a URL, in one word, as far as the URL alone tells it. Undefined: it depends on
   * what its name resolves to, each time anew.
   */
  readonly fetchFault: (url: string) => string | undefined;
}

/** Throws `RegistryRefusal` for a URL whose keys could never be had. `pointer`: the member that it comes from. */
export function requireFetchable({ fetchFault }: FetchDeps, url: string, pointer: string): void {
  const fault = fetchFault(url);
  if (fault === undefined) return;
  throw new RegistryRefusal(
    'unacceptable_key',
    `nothing is fetched from there (${fault}); what is not public needs the setting outbound-allow`,
    { pointer },
  );
}
