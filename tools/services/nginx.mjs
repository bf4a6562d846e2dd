// A real nginx for the tests: the program given, the machine's own, or Debian's package unpacked beside. Not started here:
// each test writes a configuration of its own.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { output } from '../run/child.mjs';

/** @typedef {import('../test-services.mjs').Found} Found */
/** @typedef {import('../test-services.mjs').Missing} Missing */

const NAME = 'nginx';
const VARIABLE = 'COUNTERSIGN_TEST_NGINX';

/** @param {string} root @returns {Promise<Found | Missing>} */
export async function provideNginx(root) {
  const given = process.env[VARIABLE];
  const own = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'].map((folder) =>
    join(folder, 'nginx'),
  );
  for (const path of given ? [given] : own) {
    const version = existsSync(path) ? await versionOf(path) : undefined;
    if (version !== undefined) return found(path, `${path} (${version})`);
  }
  if (given) return { name: NAME, missing: `${VARIABLE}=${given} does not run` };
  const unpacked = await unpack(join(root, 'node_modules/.cache/countersign/nginx'));
  const version = existsSync(unpacked) ? await versionOf(unpacked) : undefined;
  if (version !== undefined) return found(unpacked, `Debian's package (${version})`);
  return {
    name: NAME,
    missing: "not on this machine, and Debian's package could not be had (nginx 1.13.5 or later)",
  };
}

/** @param {string} path @param {string} from @returns {Found} */
function found(path, from) {
  return { name: NAME, from, env: { [VARIABLE]: path } };
}

/** @param {string} path */
async function versionOf(path) {
  const { code, text } = await output(path, ['-v']);
  return code === 0 ? /nginx\/(\S+)/.exec(text)?.[1] : undefined;
}

/** Fetches the package through apt and takes it apart, once; nothing is installed. @param {string} folder */
async function unpack(folder) {
  const program = join(folder, 'usr/sbin/nginx');
  if (existsSync(program) || !existsSync('/usr/bin/apt-get')) return program;
  mkdirSync(folder, { recursive: true });
  await output('/usr/bin/apt-get', ['download', 'nginx'], { cwd: folder });
  const archive = readdirSync(folder).find((file) => file.endsWith('.deb'));
  if (archive !== undefined) await output('dpkg-deb', ['-x', archive, '.'], { cwd: folder });
  return program;
}
