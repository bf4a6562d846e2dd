import type { FoundSecret } from './find-secrets.ts';

/** Where a secret was found: in a file, in a line that a commit added, or in the environment. */
export type Place =
  | { readonly kind: 'file'; readonly path: string; readonly line: number }
  | { readonly kind: 'commit'; readonly commit: string; readonly path: string; readonly line: number }
  | { readonly kind: 'environment'; readonly name: string };

export interface Finding {
  readonly found: FoundSecret;
  readonly place: Place;
}

export function placeText(place: Place): string {
  if (place.kind === 'environment') return `environment ${place.name}`;
  const line = `${place.path}:${place.line}`;
  return place.kind === 'file' ? line : `${place.commit.slice(0, 12)} ${line}`;
}
