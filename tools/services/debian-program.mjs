// A program for the tests: the one given, the machine's own, or Debian's package unpacked beside.
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { output } from '../run/child.mjs';

/** @typedef {import('../test-services.mjs').Found} Found */
/** @typedef {import('../test-services.mjs').Missing} Missing */

/**
 * @typedef {object} DebianProgram
 * @property {string} name
 * @property {string} variable  a path given here is taken as it is
 * @property {string} program   its path in the first package, and its name
 * @property {string[]} packages of Debian: itself, and libraries that few machines have
 * @property {string[]} probe   prints the version
 * @property {RegExp} version
 * @property {number} [code]    with which the probe ends; 0 unless the program is one of its own mind
 */

/** @param {string} root @param {DebianProgram} wanted @returns {Promise<Found | Missing>} */
export async function provideDebianProgram(root, wanted) {
  const cache = join(root, 'node_modules/.cache/countersign');
  const { name, variable, program, packages } = wanted;
  const given = process.env[variable];
  const file = program.split('/').at(-1) ?? '';
  const own = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'].map((folder) =>
    join(folder, file),
  );
  for (const path of given ? [given] : own) {
    const version = await versionOf(wanted, path);
    if (version !== undefined) return { name, from: `${path} (${version})`, env: { [variable]: path } };
  }
  if (given) return { name, missing: `${variable}=${given} does not run` };
  const unpacked = await unpack(wanted, join(cache, file));
  const version = await versionOf(wanted, unpacked);
  if (version === undefined) {
    return { name, missing: `not on this machine, and Debian's ${packages.join(' ')} could not be had` };
  }
  return { name, from: `Debian's package (${version})`, env: { [variable]: unpacked } };
}

/** @param {DebianProgram} wanted @param {string} path */
async function versionOf({ probe, version, code: usual = 0 }, path) {
  if (!existsSync(path)) return undefined;
  const { code, text } = await output(path, probe);
  return code === usual ? version.exec(text)?.[1] : undefined;
}

/** Fetches the packages through apt and takes them apart, once; nothing is installed. @param {DebianProgram} wanted @param {string} folder */
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
