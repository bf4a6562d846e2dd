// aedes and the client library mqtt, which the workspace does not have.
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { installPeer } from '../../../tools/services/npm-peer.ts';
import type { AedesHooks } from '../src/aedes/hooks.ts';

export { PEER_TIMEOUT_MS } from '../../../tools/services/npm-peer.ts';

/** Where both are, for programs that import them by name. */
export const AEDES_FOLDER: string = fileURLToPath(new URL('aedes/', import.meta.url));
const ENTRY = 'node_modules/aedes/aedes.js';

/** What tests use of a broker. */
export interface Broker {
  readonly handle: (stream: unknown) => unknown;
  readonly connectedClients: number;
  readonly clients: Readonly<Record<string, unknown>>;
  on(event: string, listener: (...args: never[]) => void): unknown;
  close(done: () => void): void;
}

export interface Aedes {
  createBroker(options: Partial<AedesHooks>): Promise<Broker>;
}

export async function loadAedes(): Promise<{ readonly absent: string } | { readonly Aedes: Aedes }> {
  const absent = await installPeer('aedes', AEDES_FOLDER, ENTRY);
  if (absent !== undefined) return { absent };
  return (await import(pathToFileURL(join(AEDES_FOLDER, ENTRY)).href)) as { Aedes: Aedes };
}
