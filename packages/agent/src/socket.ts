// The socket file. SPIFFE Workload Endpoint §3: everybody may connect; who that is, the kernel says.
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';

/** What the kernel has room for in the address of a socket. */
const MOST_PATH_BYTES = 107;

/** Rejects with a sentence for the operator. */
export async function listenOn(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MOST_PATH_BYTES)
    throw new Error(`The path of a socket has at most ${MOST_PATH_BYTES} bytes: ${path}`);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await removeStale(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  await chmod(path, 0o777);
}

/** Left behind by one that was killed. Anything else that lies there is somebody's. */
async function removeStale(path: string): Promise<void> {
  const file = await lstat(path).catch(() => undefined);
  if (file === undefined) return;
  if (!file.isSocket()) throw new Error(`${path} is there already and is not a socket.`);
  if (await answers(path)) throw new Error(`Another process listens on ${path}.`);
  await rm(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
