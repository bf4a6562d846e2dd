// node-opcua, which this project does not bring along. In yours: `npm install node-opcua@2.182.2`, and `import * as opcua from 'node-opcua'`.
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Lacking } from '../stage/program.mjs';

const VARIABLE = 'COUNTERSIGN_TEST_NODE_OPCUA';
const INSTALLED = '../../packages/opcua/test/node-opcua/node_modules/node-opcua/dist/index.js';

/** Where it is: named by the environment, or in the folder into which the tests install it. @throws Lacking */
export function findNodeOpcua() {
  const path = process.env[VARIABLE] || fileURLToPath(new URL(INSTALLED, import.meta.url));
  if (!existsSync(path)) throw new Lacking('node-opcua', VARIABLE);
  return path;
}

/** @param {string} path */
export async function loadNodeOpcua(path) {
  // When it is loaded it says much about RSA PKCS #1 v1.5, which nothing here uses.
  const { log, warn } = console;
  Object.assign(console, { log: () => undefined, warn: () => undefined });
  try {
    const opcua = await import(pathToFileURL(path).href);
    opcua.setWarningLogger(() => undefined);
    opcua.setErrorLogger(() => undefined);
    return opcua;
  } finally {
    Object.assign(console, { log, warn });
  }
}
