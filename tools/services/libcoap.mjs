// libcoap's clients and server for the tests: the folder given, the machine's own, or Debian's packages unpacked beside. Not started here.
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { output } from '../run/child.mjs';

/** @typedef {import('../test-services.mjs').Found} Found */
/** @typedef {import('../test-services.mjs').Missing} Missing */

const VARIABLE = 'COUNTERSIGN_TEST_LIBCOAP';
const PROGRAMS = ['coap-client-openssl', 'coap-client-gnutls', 'coap-client-notls', 'coap-server-notls'];
const PACKAGES = ['libcoap3-bin', 'libcoap3'];
const NAME = "libcoap's programs";

/** A folder with all of them. @param {string} root @returns {Promise<Found | Missing>} */
export async function provideLibcoap(root) {
  const given = process.env[VARIABLE];
  const own = (process.env['PATH'] ?? '').split(delimiter);
  for (const folder of given ? [given] : own) {
    const version = await versionIn(folder);
    if (version !== undefined)
      return { name: NAME, from: `${folder} (${version})`, env: { [VARIABLE]: folder } };
  }
  if (given) return { name: NAME, missing: `${VARIABLE}=${given} has not all of ${PROGRAMS.join(' ')}` };
  const unpacked = await unpack(join(root, 'node_modules/.cache/countersign/libcoap'));
  const version = await versionIn(unpacked);
  if (version === undefined) {
    return {
      name: NAME,
      missing: `not on this machine, and Debian's ${PACKAGES.join(' ')} could not be had`,
    };
  }
  return { name: NAME, from: `Debian's packages (${version})`, env: { [VARIABLE]: unpacked } };
}

/** @param {string} folder */
async function versionIn(folder) {
  const paths = PROGRAMS.map((program) => join(folder, program));
  if (!paths.every((path) => existsSync(path))) return undefined;
  // Without a URI it says how it is used, and which version it is.
  for (const path of paths.slice(0, 2)) {
    const { text } = await output(path, []);
    if (!/v4\.\d+/.test(text)) return undefined;
  }
  const { text } = await output(paths[0] ?? '', []);
  return /v(4\.\d+\.\d+)/.exec(text)?.[1];
}

/** Fetches the packages through apt and takes them apart, once; nothing is installed. @param {string} folder */
async function unpack(folder) {
  const bin = join(folder, 'usr/bin');
  const starts = join(folder, 'start');
  if (!existsSync(bin) && existsSync('/usr/bin/apt-get')) {
    mkdirSync(folder, { recursive: true });
    await output('/usr/bin/apt-get', ['download', ...PACKAGES], { cwd: folder });
    for (const archive of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
      await output('dpkg-deb', ['-x', archive, '.'], { cwd: folder });
    }
  }
  if (!existsSync(bin)) return starts;
  const libraries = readdirSync(join(dirname(bin), 'lib')).map((name) => join(dirname(bin), 'lib', name));
  mkdirSync(starts, { recursive: true });
  for (const program of PROGRAMS) {
    const path = join(starts, program);
    writeFileSync(
      path,
      `#!/bin/sh\nLD_LIBRARY_PATH='${libraries.join(':')}' exec '${join(bin, program)}' "$@"\n`,
    );
    chmodSync(path, 0o755);
  }
  return starts;
}
