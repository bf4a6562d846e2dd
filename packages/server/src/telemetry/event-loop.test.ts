import { expect, it } from 'vitest';
import { createBusyShare } from './event-loop.ts';

it('tells a time without an idle moment from one that waits', async () => {
  const busy = createBusyShare();
  for (let turn = 0; turn < 20; turn++) {
    const until = performance.now() + 5;
    while (performance.now() < until);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const working = busy();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const waiting = busy();
  expect(working).toBeGreaterThan(0.9);
  expect(waiting).toBeLessThan(working);
});
