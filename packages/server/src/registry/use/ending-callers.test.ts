import { expect, test } from 'vitest';
import { openMemoryStorage } from '../../../test/memory-storage.ts';
import { identityRecord, T0 } from '../../storage/contract/records.ts';
import { gradualPlan, USUAL_PHASES } from '../decommissioning.ts';
import { clientAgent } from './client-agent.ts';
import { createEndingCallers, MOST_KEPT, OTHERS } from './ending-callers.ts';

const call = (source: string) => ({
  resourceServer: 'https://a.example',
  instance: undefined,
  source,
  userAgent: undefined,
});
const ending = () =>
  identityRecord({ state: 'decommissioning', decommissioning: gradualPlan(USUAL_PHASES, T0, false) });

test('however many callers there are, rows and memory are bounded, and nobody is left out of the count', async () => {
  const storage = await openMemoryStorage();
  const identity = ending();
  await storage.identities.insert(identity);
  const callers = createEndingCallers(storage, 300);
  for (let round = 0; round < 2; round++) {
    for (let each = 0; each < 500; each++)
      callers.saw(identity, call(`10.${round}.0.${each}`), 'let_through', T0 + each);
    await callers.flush();
  }
  const rows = await storage.endingCallers.ofIdentity(identity.id);
  expect(rows.length).toBeLessThanOrEqual(MOST_KEPT + 1);
  expect(rows.reduce((sum, row) => sum + row.letThrough, 0)).toBe(1000);
  expect(rows.find((row) => row.source === OTHERS)?.letThrough).toBeGreaterThan(700);
  await storage.close();
});

test('what could not be written is written with the next, once', async () => {
  const storage = await openMemoryStorage();
  const identity = ending();
  await storage.identities.insert(identity);
  let fails = true;
  const callers = createEndingCallers({
    transaction: (work) => (fails ? Promise.reject(new Error('gone')) : storage.transaction(work)),
  });
  callers.saw(identity, call('10.0.0.1'), 'refused', T0);
  await expect(callers.flush()).rejects.toThrow('gone');
  callers.saw(identity, call('10.0.0.1'), 'refused', T0 + 5);
  fails = false;
  await Promise.all([callers.flush(), callers.flush()]);
  await callers.flush();
  expect(await storage.endingCallers.ofIdentity(identity.id)).toMatchObject([
    { phase: 'shadow', refused: 2, letThrough: 0, firstAt: T0, lastAt: T0 + 5 },
  ]);
  await storage.close();
});

test.each([
  ['curl/8.5.0', 'curl'],
  ['python-requests/2.31', 'python'],
  ['Go-http-client/1.1', 'go'],
  ['okhttp/4.12', 'java'],
  ['node', 'node'],
  ['countersign-client/1.0 node/24', 'countersign'],
  ['Mozilla/5.0 (X11)', 'browser'],
  ['\u001b[31mevil', 'other'],
  ['', 'none'],
  [undefined, 'none'],
])('%j is %s', (userAgent, agent) => {
  expect(clientAgent(userAgent)).toBe(agent);
});
