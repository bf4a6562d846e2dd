// Real proxies for the tests: the program given, the machine's own, or Debian's package unpacked beside. Not started here:
// each test writes a configuration of its own.
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { output } from '../run/child.mjs';

/** @typedef {import('../test-services.mjs').Found} Found */
/** @typedef {import('../test-services.mjs').Missing} Missing */

/**
 * @typedef {object} FrontProxy
 * @property {string} name
 * @property {string} variable  a path given here is taken as it is
 * @property {string} program   its path in the first package, and its name
 * @property {string[]} packages of Debian: itself, and libraries that few machines have
 * @property {string[]} probe   prints the version
 * @property {RegExp} version
 */

/** @type {FrontProxy[]} */
const FRONT_PROXIES = [
  {
    name: 'nginx',
    variable: 'COUNTERSIGN_TEST_NGINX',
    program: 'usr/sbin/nginx',
    packages: ['nginx'],
    probe: ['-v'],
    version: /nginx\/(\S+)/,
  },
  {
    name: 'HAProxy',
    variable: 'COUNTERSIGN_TEST_HAPROXY',
    program: 'usr/sbin/haproxy',
    packages: ['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'],
    probe: ['-v'],
    version: /version (\d\S+)/,
  },
  {
    name: 'Caddy',
    variable: 'COUNTERSIGN_TEST_CADDY',
    program: 'usr/bin/caddy',
    packages: ['caddy'],
    probe: ['version'],
    version: /v?(\d+\.\d+\.\d+)/,
  },
];

/** @param {string} root @returns {Promise<(Found | Missing)[]>} */
export function provideFrontProxies(root) {
  return Promise.all(
    FRONT_PROXIES.map((proxy) => provide(proxy, join(root, 'node_modules/.cache/countersign'))),
  );
}

/** @param {FrontProxy} proxy @param {string} cache @returns {Promise<Found | Missing>} */
async function provide(proxy, cache) {
  const { name, variable, program, packages } = proxy;
  const given = process.env[variable];
  const file = program.split('/').at(-1) ?? '';
  const own = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'].map((folder) =>
    join(folder, file),
  );
  for (const path of given ? [given] : own) {
    const version = await versionOf(proxy, path);
    if (version !== undefined) return { name, from: `${path} (${version})`, env: { [variable]: path } };
  }
  if (given) return { name, missing: `${variable}=${given} does not run` };
  const unpacked = await unpack(proxy, join(cache, file));
  const version = await versionOf(proxy, unpacked);
  if (version === undefined) {
    return { name, missing: `not on this machine, and Debian's ${packages.join(' ')} could not be had` };
  }
  return { name, from: `Debian's package (${version})`, env: { [variable]: unpacked } };
}

/** @param {FrontProxy} proxy @param {string} path */
async function versionOf({ probe, version }, path) {
  if (!existsSync(path)) return undefined;
  const { code, text } = await output(path, probe);
  return code === 0 ? version.exec(text)?.[1] : undefined;
}

/** Fetches the packages through apt and takes them apart, once; nothing is installed. @param {FrontProxy} proxy @param {string} folder */
async function unpack({ program, packages }, folder) {
  const path = join(folder, program);
  const start = join(folder, 'start');
  if (!existsSync(path) && existsSync('/usr/bin/apt-get')) {
    mkdirSync(folder, { recursive: true });
    await output('/usr/bin/apt-get', ['download', ...packages], { cwd: folder });
    for (const archive of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
      await output('dpkg-deb', ['-x', archive, '.'], { cwd: folder });
    }
  }
  if (packages.length === 1 || !existsSync(path)) return path;
  const libraries = readdirSync(join(folder, 'usr/lib')).filter((name) => name.endsWith('-linux-gnu'));
  const found = libraries.map((name) => join(folder, 'usr/lib', name)).join(':');
  writeFileSync(start, `#!/bin/sh\nLD_LIBRARY_PATH='${found}' exec '${path}' "$@"\n`);
  chmodSync(start, 0o755);
  return start;
}
