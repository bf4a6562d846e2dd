// The web console as a browser loads it: few files whose names change with what is in them, and `site.json`, which names them.
// Made from what the compiler wrote; why so: docs/decisions/0061.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { filesUnder } from '../source/tree.mjs';
import { thirdPartyNotices } from './notices.mjs';

const FOLDER = 'packages/console/dist/site';
const STYLE = 'packages/console/src/style';
/** Written last: a console without it is none. */
const MANIFEST = 'site.json';
/** Copied as they are, under their own names. */
const STATIC = { 'icon.svg': 'packages/console/src/icon.svg' };

/** Bundles the console when it is missing or older than what it is made from. @param {string} root @returns {Promise<boolean>} whether it was written */
export async function bundleConsole(root) {
  if (!existsSync(join(root, 'packages/console/dist/main.js')) || isCurrent(root)) return false;
  const { build } = await import('esbuild');
  const out = join(root, FOLDER);
  const started = new Date();
  rmSync(join(out, MANIFEST), { force: true });
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { console: 'packages/console/dist/main.js', style: `${STYLE}/console.css` },
    entryNames: '[name]-[hash]',
    chunkNames: 'part-[hash]',
    outdir: FOLDER,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // What is loaded from Node by code that is left out in the end.
    external: ['node:*'],
    define: { 'process.env.NODE_ENV': '"production"' },
    minify: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
    plugins: [addressesOfOperations()],
  });
  const strangers = Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.filter(({ external }) => external),
  );
  if (strangers.length > 0)
    throw new Error(`the console would need ${strangers.map(({ path }) => path).join(', ')}`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const { path, contents } of outputFiles) writeFileSync(path, contents);
  for (const [name, source] of Object.entries(STATIC)) {
    writeFileSync(join(out, name), readFileSync(join(root, source)));
  }
  writeFileSync(join(out, 'THIRD-PARTY-NOTICES.txt'), thirdPartyNotices(root, metafile));
  const names = outputFiles.map(({ path }) => basename(path));
  const manifest = {
    script: names.find((name) => /^console-.*\.js$/.test(name)),
    style: names.find((name) => /^style-.*\.css$/.test(name)),
    files: [...names, ...Object.keys(STATIC)].sort(),
  };
  writeFileSync(join(out, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  // What changed while this ran is newer.
  utimesSync(join(out, MANIFEST), started, started);
  return true;
}

/** @param {string} root */
function isCurrent(root) {
  const made = statSync(join(root, FOLDER, MANIFEST), { throwIfNoEntry: false })?.mtimeMs;
  if (made === undefined) return false;
  const inputs = [
    'packages/console/dist/.tsbuildinfo',
    'packages/admin-api/dist/.tsbuildinfo',
    'node_modules/.package-lock.json',
    'tools/build/console.mjs',
    ...filesUnder(root, STYLE),
    ...Object.values(STATIC),
  ];
  return inputs.every((path) => {
    const input = statSync(join(root, path), { throwIfNoEntry: false });
    return input !== undefined && input.mtimeMs <= made;
  });
}

/**
 * The typed client looks up method, path and whether there is a body: the schemas of the contract, and zod with them, stay where
 * requests are judged. @returns {import('esbuild').Plugin}
 */
function addressesOfOperations() {
  return {
    name: 'addresses of operations',
    setup(build) {
      build.onLoad(
        { filter: /[\\/]packages[\\/]admin-api[\\/]dist[\\/]operations\.js$/ },
        async ({ path }) => {
          const { operations } = await import(`${pathToFileURL(path).href}?at=${statSync(path).mtimeMs}`);
          const table = Object.fromEntries(
            Object.entries(operations).map(([id, { method, path: at, body }]) => [
              id,
              { method, path: at, ...(body === undefined ? {} : { body: true }) },
            ]),
          );
          return {
            contents: `export const operations = ${JSON.stringify(table)}; export const operationIds = Object.keys(operations);`,
          };
        },
      );
    },
  };
}
