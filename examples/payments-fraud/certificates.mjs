// What an organisation's certificate authority hands out, made with openssl: to machines that show who they are, and to an
// API that is called by name. Keys stay in the folder of this telling.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programOf } from '../stage/program.mjs';

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/**
 * Makes NAME.pem and NAME.key for each machine and for the API, and ca.pem, which signed them all.
 * @param {string} folder
 * @param {{ machines: string[], api: string }} names
 */
export function makeCertificates(folder, { machines, api }) {
  const openssl = programOf('openssl');
  const run = (/** @type {string[]} */ ...args) =>
    execFileSync(openssl, args, { cwd: folder, stdio: 'pipe' });
  const subject = (/** @type {string} */ name) => ['-subj', `/O=Example/CN=${name}`];

  run('req', '-x509', ...P256, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '30', ...subject('machines'));
  const certify = (/** @type {string} */ name, /** @type {string} */ use) => {
    run('req', '-new', ...P256, '-keyout', `${name}.key`, '-out', `${name}.csr`, ...subject(name));
    writeFileSync(join(folder, `${name}.ext`), `basicConstraints=critical,CA:false\n${use}\n`);
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`];
    run('x509', '-req', '-in', `${name}.csr`, ...by, '-days', '30', '-out', `${name}.pem`);
  };
  for (const name of machines) certify(name, 'extendedKeyUsage=clientAuth');
  certify(api, 'extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost');
}

/** @param {string} folder @param {string} name */
export const pem = (folder, name) => readFileSync(join(folder, `${name}.pem`), 'utf8');

/** A certificate with its key, as `createClient` and node's TLS take them. @param {string} folder @param {string} name */
export const shown = (folder, name) => ({
  cert: pem(folder, name),
  key: readFileSync(join(folder, `${name}.key`), 'utf8'),
});
