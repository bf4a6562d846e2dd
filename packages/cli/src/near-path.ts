import { relative } from 'node:path';

/** A path as one would type it in `cwd`: relative below it, absolute elsewhere. */
export function nearPath(cwd: string, path: string): string {
  const near = relative(cwd, path);
  return near === '' || near.startsWith('..') ? path : near;
}
