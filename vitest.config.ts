import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import LongestFirst from './tools/run/longest-first.mjs';

/** They measure, or fill a disk: nothing else runs beside them. */
const MEASURING = [
  'budgets',
  'chaos',
  'cutoff-bound',
  'device-cutoff',
  'full-disk',
  'slow-callers',
  'strangers',
].map((name) => `conformance/${name}.test.ts`);
/** Two to a processor: half of their time passed in waiting, for processes that start and for what takes its time. */
const WORKERS = availableParallelism() * 2;
const CONFORMANCE = {
  globalSetup: ['conformance/authority.ts'],
  testTimeout: 60_000,
  hookTimeout: 180_000,
};

/** Unit and endpoint tests sit beside the code; conformance and interop drive a built server over HTTP. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'tools/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.long.test.ts'],
          setupFiles: ['packages/opcua/test/environment.ts'],
          testTimeout: 20_000,
          hookTimeout: 60_000,
          // Tests share nothing but modules, and modules keep nothing: loading the server anew for each file took longer than its tests.
          isolate: false,
          maxWorkers: WORKERS,
        },
      },
      {
        test: {
          ...CONFORMANCE,
          name: 'conformance',
          include: ['conformance/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.long.test.ts', ...MEASURING],
          maxWorkers: WORKERS,
        },
      },
      {
        test: { ...CONFORMANCE, name: 'conformance-alone', include: MEASURING, maxWorkers: 1 },
      },
      {
        test: {
          name: 'long',
          include: ['conformance/**/*.long.test.ts', 'packages/*/src/**/*.long.test.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
