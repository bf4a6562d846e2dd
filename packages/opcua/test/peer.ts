// node-opcua itself, which the workspace does not have.
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { installPeer } from '../../../tools/services/npm-peer.ts';

export { PEER_TIMEOUT_MS } from '../../../tools/services/npm-peer.ts';

const FOLDER = fileURLToPath(new URL('node-opcua/', import.meta.url));
const ENTRY = 'node_modules/node-opcua/dist/index.js';

/** The module, untyped: its types are where it is. Else why it cannot be had here. */
export async function loadPeer() {
  const absent = await installPeer('node-opcua', FOLDER, ENTRY);
  if (absent !== undefined) return { absent };
  // Else each of its processes prints a page about RSA PKCS #1 v1.5, which nothing here uses.
  return { opcua: await import(pathToFileURL(join(FOLDER, ENTRY)).href) };
}
