#!/usr/bin/env node
import { readFileSync, statSync } from 'node:fs';

const { main } = await (bundleIsCurrent() ? import('../dist/bundle/main.js') : import('../dist/main.js'));
await main();

/**
 * Whether the bundle is there, and of the code that is there. A checkout has a list of what it was made from, and what the
 * compiler wrote since is newer; a published package has no list, and nothing changes in it.
 */
function bundleIsCurrent() {
  const bundle = new URL('../dist/bundle/', import.meta.url);
  const modified = (path) => statSync(new URL(path, bundle), { throwIfNoEntry: false })?.mtimeMs;
  if (modified('main.js') === undefined) return false;
  const made = modified('inputs.json');
  if (made === undefined) return true;
  const inputs = JSON.parse(readFileSync(new URL('inputs.json', bundle), 'utf8'));
  return inputs.every((path) => (modified(path) ?? Number.POSITIVE_INFINITY) <= made);
}
