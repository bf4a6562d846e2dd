// node-opcua for the tests, bench and examples: the module given, or the one that the tests of packages/opcua install into a folder of
// their own. Nothing else of the project needs it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { output } from '../run/child.mjs';

/** @typedef {import('../test-services.mjs').Found} Found */
/** @typedef {import('../test-services.mjs').Missing} Missing */

const VARIABLE = 'COUNTERSIGN_TEST_NODE_OPCUA';
const NAME = 'node-opcua';

/** @param {string} root @returns {Promise<Found | Missing>} */
export async function provideNodeOpcua(root) {
  const given = process.env[VARIABLE];
  if (given) {
    if (existsSync(given)) return { name: NAME, from: given, env: { [VARIABLE]: given } };
    return { name: NAME, missing: `${VARIABLE}=${given} is not there` };
  }
  const { code, text } = await output(process.execPath, [
    join(root, 'packages/opcua/test/node-opcua/install.mjs'),
  ]);
  const path = text.trim();
  if (code === 0) return { name: NAME, from: 'packages/opcua/test/node-opcua', env: { [VARIABLE]: path } };
  return { name: NAME, missing: path.slice(-300) };
}
