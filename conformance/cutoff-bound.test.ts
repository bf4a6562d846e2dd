import { test } from 'vitest';
import { mayStartServers } from './wire/target.ts';
import { expectCutoffsHold } from './cutoff-suite.ts';

// In small: twenty verifiers. It starts and kills an authority of its own, so it says nothing about another one.
test.runIf(mayStartServers())(
  'an order is obeyed within moments through kill -9 and restart, and none of 10,000 tokens raced against it is taken',
  () =>
    expectCutoffsHold({ instances: 20, processes: 2, orders: 3, race: 10_000, tokensPerSecond: 20 }, 6000),
  180_000,
);
