// node-opcua for the bench and the examples: the module given, or the one that the tests of packages/opcua install into a folder of their
// own. Nothing else of the project needs it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installPeer } from './install-peer.mjs';

/** @typedef {import('../test-services.mjs').Found} Found */
/** @typedef {import('../test-services.mjs').Missing} Missing */

const VARIABLE = 'COUNTERSIGN_TEST_NODE_OPCUA';
const NAME = 'node-opcua';
const FOLDER = 'packages/opcua/test/node-opcua';

/** @param {string} root @returns {Promise<Found | Missing>} */
export async function provideNodeOpcua(root) {
  const given = process.env[VARIABLE];
  if (given) {
    if (existsSync(given)) return { name: NAME, from: given, env: { [VARIABLE]: given } };
    return { name: NAME, missing: `${VARIABLE}=${given} is not there` };
  }
  try {
    const path = await installPeer(join(root, FOLDER), 'node_modules/node-opcua/dist/index.js');
    return { name: NAME, from: FOLDER, env: { [VARIABLE]: path } };
  } catch (error) {
    return { name: NAME, missing: String(error).slice(-300) };
  }
}
