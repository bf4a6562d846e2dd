import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';

const BENCH = join(fileURLToPath(new URL('..', import.meta.url)), 'bench', 'cutoff.mjs');

export interface CutoffSettings {
  readonly instances: number;
  readonly processes: number;
  readonly orders: number;
  readonly race: number;
  readonly tokensPerSecond: number;
}

/** What is promised, in ms. */
const PROMISED = 2000;

/**
 * Runs the bench of cut-offs and holds it to what is promised (docs/operate/promises.md, 3). `within`: for a run that shares
 * its cores with other tests.
 */
export async function expectCutoffsHold(settings: CutoffSettings, within = PROMISED): Promise<void> {
  const { stdout } = await promisify(execFile)(process.execPath, [BENCH, JSON.stringify(settings)], {
    timeout: 600_000,
    maxBuffer: 10_000_000,
  });
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({
    instances: settings.instances,
    processes: settings.processes,
    refusals: settings.instances * settings.orders * 2,
    takenAgain: 0,
    race: { issuedAfterTheOrder: 0, laterThanNotBefore: 0, takenAfterwards: 0 },
    away: { tookWhenBack: false },
  });
  expect(result.p50, stdout).toBeLessThan(PROMISED);
  expect(result.p99, stdout).toBeLessThan(within);
  expect(result.race.issued, stdout).toBeGreaterThanOrEqual(settings.race - 100);
  expect(result.away.reasons[0]).toBe('ok');
  expect(result.away.reasons.at(-1)).toBe('cut_off');
}
