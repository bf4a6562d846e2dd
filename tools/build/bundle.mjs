// What a command runs, in few files: loading hundreds takes longer than everything else that a start does. What is loaded
// lazily stays so. Made from what the compiler wrote; why it is so: docs/decisions/0047.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { thirdPartyNotices } from './notices.mjs';

/**
 * `entries`: by the name of the file in the bundle, the compiled file. `packages`: which of ours are in it. `external`: what is loaded from where npm
 * installed it.
 * @typedef {{folder: string, entries: Record<string, string>, packages: string[], external: string[]}} Program
 */

/** @type {Program[]} */
const PROGRAMS = [
  {
    folder: 'packages/cli/dist/bundle',
    entries: {
      main: 'packages/cli/dist/main.js',
      'audit-index-worker': 'packages/server/dist/database/audit-index-worker.js',
    },
    packages: ['protocol', 'cose', 'tlog', 'admin-api', 'client', 'resource-server', 'server', 'cli'],
    external: [
      // Files for browsers, found beside its own code.
      '@countersign/console',
      // Brings compiled code.
      '@photostructure/sqlite',
      // pg asks for them where somebody has installed them.
      'pg-native',
      'pg-cloudflare',
      // Fastify asks for them where routes have schemas, and in tests: not here.
      '@fastify/ajv-compiler',
      '@fastify/fast-json-stringify-compiler',
      'light-my-request',
    ],
  },
  {
    folder: 'packages/gateway/dist/bundle',
    entries: { main: 'packages/gateway/dist/main.js' },
    packages: ['protocol', 'client', 'resource-server', 'daemon', 'gateway'],
    // Loaded where Envoy asks over gRPC, and only there.
    external: ['@bufbuild/protobuf', '@connectrpc/connect', '@connectrpc/connect-node'],
  },
  {
    folder: 'packages/mqtt/dist/bundle',
    entries: { main: 'packages/mqtt/dist/main.js' },
    packages: ['protocol', 'client', 'resource-server', 'daemon', 'mqtt'],
    external: [],
  },
  {
    folder: 'packages/agent/dist/bundle',
    entries: { main: 'packages/agent/dist/main.js' },
    packages: ['protocol', 'client', 'agent'],
    // Brings compiled code, and may be missing.
    external: ['koffi'],
  },
];

/** Packages that came as CommonJS ask for Node's modules by `require`. */
const REQUIRE = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);`;

/** By it the commands judge whether a bundle is of the code that is there. It is not published. */
const INPUTS = 'inputs.json';
/** Removed first and written last: a command that does not find it runs what the compiler wrote. */
const MAIN = 'main.js';

/**
 * Bundles every program whose bundle is missing or older than what it is made from.
 * @param {string} root @param {Program[]} [programs] @returns {Promise<string[]>} folders that were written
 */
export async function bundlePrograms(root, programs = PROGRAMS) {
  const stale = programs.filter(({ folder }) => !isCurrent(join(root, folder)));
  for (const program of stale) await bundle(root, program);
  return stale.map(({ folder }) => folder);
}

/** As bin/ of the packages judges it. @param {string} folder */
function isCurrent(folder) {
  const list = join(folder, INPUTS);
  if (!existsSync(list)) return false;
  const made = statSync(list).mtimeMs;
  return JSON.parse(readFileSync(list, 'utf8')).every((/** @type {string} */ path) => {
    const input = statSync(join(folder, path), { throwIfNoEntry: false });
    return input !== undefined && input.mtimeMs <= made;
  });
}

/** @param {string} root @param {Program} program */
async function bundle(root, { folder, entries, packages, external }) {
  // Only here: before the packages are installed there is none.
  const { build } = await import('esbuild');
  const out = join(root, folder);
  const started = new Date();
  rmSync(join(out, MAIN), { force: true });
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external,
    banner: { js: REQUIRE },
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
    plugins: [ownVersion, namesOfZod],
  });
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'THIRD-PARTY-NOTICES.txt'), thirdPartyNotices(root, metafile));
  writeFileSync(join(out, INPUTS), JSON.stringify(inputsOf(packages).map((path) => relative(folder, path))));
  // What changed while this ran is newer.
  utimesSync(join(out, INPUTS), started, started);
  const last = outputFiles.filter(({ path }) => path === join(out, MAIN));
  for (const { path, contents } of [...outputFiles.filter((file) => !last.includes(file)), ...last]) {
    writeFileSync(path, contents);
  }
}

/** Files that change whenever something in the bundle may have. @param {string[]} packages */
function inputsOf(packages) {
  return [
    ...packages.flatMap((name) => [`packages/${name}/dist/.tsbuildinfo`, `packages/${name}/package.json`]),
    'node_modules/.package-lock.json',
    'tools/build/bundle.mjs',
  ];
}

const READ_MANIFEST = `readFileSync(new URL('../package.json', import.meta.url), 'utf8')`;

/** A package reads its version from the manifest beside it. In a bundle there is none beside it. @type {import('esbuild').Plugin} */
const ownVersion = {
  name: 'own version',
  setup(build) {
    build.onLoad({ filter: /[\\/]packages[\\/][^\\/]+[\\/]dist[\\/]version\.js$/ }, ({ path }) => {
      const code = readFileSync(path, 'utf8');
      const { version } = JSON.parse(readFileSync(join(path, '../../package.json'), 'utf8'));
      if (!code.includes(READ_MANIFEST)) return { errors: [{ text: 'the version is read in another way' }] };
      return { contents: code.replace(READ_MANIFEST, `'${JSON.stringify({ version })}'`) };
    });
  },
};

/**
 * What `z` is imported as decides what of zod is left out: of an exported object nothing can be (its 40 languages, 40 ms of
 * a start), of a namespace all that nobody names. @type {import('esbuild').Plugin}
 */
const namesOfZod = {
  name: 'names of zod',
  setup(build) {
    build.onLoad({ filter: /[\\/]packages[\\/]admin-api[\\/]dist[\\/].*\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(
        /^import \{ z \} from 'zod';$/m,
        "import * as z from 'zod';",
      ),
    }));
  },
};
