// What this package knows of node-opcua by its shape, held against node-opcua's own types.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadPeer, PEER_TIMEOUT_MS } from '../test/peer.ts';

const TSC = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url));
const PROJECT = fileURLToPath(new URL('../test/node-opcua', import.meta.url));

test(
  "the guide's examples compile with node-opcua's types",
  async (context) => {
    const { absent } = await loadPeer();
    if (absent !== undefined) return context.skip(absent);
    const told = await new Promise<string>((resolve) => {
      execFile(process.execPath, [TSC, '-p', PROJECT, '--pretty', 'false'], (_error, stdout) =>
        resolve(stdout),
      );
    });
    expect(told).toBe('');
  },
  PEER_TIMEOUT_MS,
);
