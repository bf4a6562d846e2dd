import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

/** Bytes, packed as they are sent. */
const MOST = 200_000;

const site = new URL('../dist/site/', import.meta.url);

interface Manifest {
  readonly script: string;
  readonly style: string;
  readonly files: readonly string[];
}

/** What a file loads before it runs; what it loads later is not counted. */
function loadedWith(name: string, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  const code = readFileSync(new URL(name, site), 'utf8');
  for (const [, other] of code.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g))
    loadedWith(other as string, seen);
  return seen;
}

test('the first load is less than 200 KB packed, and nothing of it is of another origin', (context) => {
  if (!existsSync(new URL('site.json', site))) context.skip('the console is not built: npm run build');
  const manifest = JSON.parse(readFileSync(new URL('site.json', site), 'utf8')) as Manifest;
  const first = [...loadedWith(manifest.script), manifest.style];
  const bytes = first.reduce(
    (sum, name) => sum + gzipSync(readFileSync(new URL(name, site)), { level: 9 }).length,
    0,
  );
  console.log(`first load: ${bytes} bytes packed, in ${first.length} files`);
  expect(bytes).toBeLessThan(MOST);
  expect(bytes).toBeGreaterThan(10_000);
  for (const name of manifest.files.filter((file) => /\.(?:css|js)$/.test(file))) {
    // React names pages of its documentation in its errors; nothing loads them.
    const code = readFileSync(new URL(name, site), 'utf8').replace(
      /https:\/\/(?:react\.dev|countersign\.dev)\/[\w/]*/g,
      '',
    );
    expect(
      code.match(/@import|url\(|https?:\/\/(?!www\.w3\.org)[\w.-]+\.(?!example)\w+/g) ?? [],
      name,
    ).toEqual([]);
  }
});
