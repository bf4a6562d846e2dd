// Other runtimes than Node, in which the SDKs are tested: the program given, the machine's own, or, where nothing may be
// missing, npm's package of it. Each is about 100 MB, so that nobody is made to fetch them who has not got them.
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { output } from '../run/child.mjs';

/** @typedef {import('../test-services.mjs').Found} Found */
/** @typedef {import('../test-services.mjs').Missing} Missing */

/**
 * @typedef {object} Runtime
 * @property {string} name
 * @property {string} variable  a path given here is taken as it is
 * @property {string} program
 * @property {string} package   of npm, whose optional dependencies carry the program
 * @property {string} scope     where these are
 * @property {string} inside    the program's path in them
 */

/** @type {Runtime[]} */
const RUNTIMES = [
  {
    name: 'Deno',
    variable: 'COUNTERSIGN_TEST_DENO',
    program: 'deno',
    package: 'deno@2.9.6',
    scope: '@deno',
    inside: 'deno',
  },
  {
    name: 'Bun',
    variable: 'COUNTERSIGN_TEST_BUN',
    program: 'bun',
    package: 'bun@1.4.5',
    scope: '@oven',
    inside: 'bin/bun',
  },
];

/** @param {string} root @returns {Promise<(Found | Missing)[]>} */
export function provideRuntimes(root) {
  const cache = join(root, 'node_modules/.cache/countersign');
  return Promise.all(RUNTIMES.map((runtime) => provide(runtime, join(cache, runtime.program))));
}

/** @param {Runtime} runtime @param {string} folder @returns {Promise<Found | Missing>} */
async function provide(runtime, folder) {
  const { name, variable, program } = runtime;
  const given = process.env[variable];
  const own = (process.env['PATH'] ?? '').split(delimiter).map((each) => join(each, program));
  const candidates = given ? [given] : [...own, ...unpacked(runtime, folder)];
  const at = (await firstThatRuns(candidates)) ?? (given ? undefined : await fetched(runtime, folder));
  if (at !== undefined) return { name, from: `${at.path} (${at.version})`, env: { [variable]: at.path } };
  if (given) return { name, missing: `${variable}=${given} does not run` };
  return { name, missing: `not on this machine; COUNTERSIGN_REQUIRE=all fetches npm's ${runtime.package}` };
}

/** @param {string[]} paths @returns {Promise<{ path: string, version: string } | undefined>} */
async function firstThatRuns(paths) {
  for (const path of paths.filter((each) => existsSync(each))) {
    const { code, text } = await output(path, ['--version']);
    const version = /\d+\.\d+\.\d+/.exec(text)?.[0];
    if (code === 0 && version !== undefined) return { path, version };
  }
  return undefined;
}

/** Programs of several builds lie there where npm cannot tell which one runs. @param {Runtime} runtime @param {string} folder */
function unpacked({ scope, inside }, folder) {
  const builds = join(folder, 'node_modules', scope);
  if (!existsSync(builds)) return [];
  return readdirSync(builds).map((build) => join(builds, build, inside));
}

/** @param {Runtime} runtime @param {string} folder */
async function fetched(runtime, folder) {
  if (process.env['COUNTERSIGN_REQUIRE'] !== 'all') return undefined;
  mkdirSync(folder, { recursive: true });
  // A package of its own: npm would go up to the workspace otherwise.
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await output('npm', ['install', ...quiet, '--no-save', runtime.package], { cwd: folder });
  const programs = unpacked(runtime, folder).filter((path) => existsSync(path));
  for (const path of programs) chmodSync(path, 0o755);
  return await firstThatRuns(programs);
}
