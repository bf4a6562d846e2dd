// What this package knows of aedes by its shape, held against aedes's own types.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { AEDES_FOLDER, loadAedes, PEER_TIMEOUT_MS } from '../../test/aedes-peer.ts';

const TSC = fileURLToPath(new URL('../../../../node_modules/typescript/bin/tsc', import.meta.url));

test(
  "the guide's example compiles with aedes's types",
  async (context) => {
    const loaded = await loadAedes();
    if ('absent' in loaded) return context.skip(loaded.absent);
    const told = await new Promise<string>((resolve) => {
      execFile(process.execPath, [TSC, '-p', AEDES_FOLDER, '--pretty', 'false'], (_error, stdout) =>
        resolve(stdout),
      );
    });
    expect(told).toBe('');
  },
  PEER_TIMEOUT_MS,
);
