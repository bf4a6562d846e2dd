// What install-peer.mjs does, for tests: packages of others that the workspace does not have.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const INSTALLER = fileURLToPath(new URL('install-peer.mjs', import.meta.url));

/** Time for `beforeAll` where a peer may have to be installed first. */
export const PEER_TIMEOUT_MS = 180_000;

/**
 * Installs what the lockfile of `folder` names unless it is there already. Several processes may ask at once.
 * @param entry a file of it that is there once it is installed
 * @returns why it cannot be had here; undefined when it is there
 * @throws Error instead under COUNTERSIGN_REQUIRE=all
 */
export async function installPeer(name: string, folder: string, entry: string): Promise<string | undefined> {
  const fault = await new Promise<string | undefined>((resolve) => {
    execFile(process.execPath, [INSTALLER, folder, entry], (error, _stdout, stderr) =>
      resolve(error === null ? undefined : `${name}: ${(stderr.trim() || error.message).slice(-300)}`),
    );
  });
  if (fault !== undefined && process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error(fault);
  return fault;
}
