// node-opcua itself, which the workspace does not have: a folder and lockfile of its own, installed by the first test that asks.
import { execFile } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const INSTALLER = fileURLToPath(new URL('node-opcua/install.mjs', import.meta.url));

/** Time for `beforeAll` where node-opcua may have to be installed first. */
export const PEER_TIMEOUT_MS = 180_000;

/** The module, untyped: its types are where it is. Else why it cannot be had here. */
export async function loadPeer() {
  try {
    const entry = process.env['COUNTERSIGN_TEST_NODE_OPCUA'] ?? (await installed());
    return { opcua: await import(pathToFileURL(entry).href) };
  } catch (error) {
    const absent = `node-opcua: ${(error as Error).message.trim().slice(-300)}`;
    if (process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error(absent, { cause: error });
    return { absent };
  }
}

async function installed(): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [INSTALLER]);
  return stdout.trim();
}
