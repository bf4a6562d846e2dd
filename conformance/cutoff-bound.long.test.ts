import { test } from 'vitest';
import { expectCutoffsHold } from './cutoff-suite.ts';

test('200 verifiers in 4 processes obey within 2 s (p99) under load, through kill -9 and restart', async () => {
  await expectCutoffsHold({ instances: 200, processes: 4, orders: 10, race: 10_000, tokensPerSecond: 50 });
}, 600_000);
