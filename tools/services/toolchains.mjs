// Programs of other languages whose clients and validators are tested against us. Only looked for, never installed.
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { output } from '../run/child.mjs';

/** @typedef {import('../test-services.mjs').Found} Found */
/** @typedef {import('../test-services.mjs').Missing} Missing */

/**
 * @typedef {object} Toolchain
 * @property {string} name
 * @property {string} variable  a path given here is taken as it is
 * @property {string[]} programs  tried in order, each in every folder of PATH
 * @property {string[]} probe   must succeed; its first line is shown
 * @property {string} needs     how to get it
 */

/** @type {Toolchain[]} */
const TOOLCHAINS = [
  {
    name: 'Go',
    variable: 'COUNTERSIGN_TEST_GO',
    programs: ['go'],
    probe: ['version'],
    needs: 'go 1.22 or later',
  },
  {
    name: 'Python',
    variable: 'COUNTERSIGN_TEST_PYTHON',
    programs: ['python3', 'python'],
    probe: [
      '-c',
      'import sys, venv, ensurepip; print("Python " + sys.version.split()[0]); sys.exit(sys.version_info < (3, 9))',
    ],
    needs: 'python 3.9 or later with venv',
  },
  {
    name: 'Maven',
    variable: 'COUNTERSIGN_TEST_MAVEN',
    programs: ['mvn'],
    probe: ['--version'],
    needs: 'maven, and java 17 or later',
  },
  {
    name: 'curl',
    variable: 'COUNTERSIGN_TEST_CURL',
    programs: ['curl'],
    probe: ['--version'],
    needs: 'curl',
  },
  {
    name: 'OpenSSL',
    variable: 'COUNTERSIGN_TEST_OPENSSL',
    programs: ['openssl'],
    probe: ['version'],
    needs: 'openssl',
  },
];

/** @returns {Promise<(Found | Missing)[]>} */
export function provideToolchains() {
  return Promise.all(TOOLCHAINS.map(find));
}

/** @param {Toolchain} toolchain @returns {Promise<Found | Missing>} */
async function find({ name, variable, programs, probe, needs }) {
  const given = process.env[variable];
  const candidates = given ? [given] : programs.flatMap((program) => onPath(program));
  for (const path of candidates) {
    const { code, text } = await output(path, probe);
    if (code === 0) return { name, from: `${path} (${shortVersion(text)})`, env: { [variable]: path } };
  }
  return { name, missing: given ? `${variable}=${given} does not run` : `not on this machine (${needs})` };
}

/** @param {string} program */
function onPath(program) {
  const file = process.platform === 'win32' ? `${program}.exe` : program;
  return [...new Set((process.env['PATH'] ?? '').split(delimiter))]
    .map((folder) => join(folder, file))
    .filter((path) => existsSync(path));
}

/** @param {string} text */
function shortVersion(text) {
  return /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? text.split('\n')[0];
}
