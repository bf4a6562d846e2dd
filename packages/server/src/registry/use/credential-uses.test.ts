import { expect, test } from 'vitest';
import { createCredentialUses, NOTED_EVERY_MS } from './credential-uses.ts';

function scene(mostRemembered?: number) {
  const notes: [string, number][] = [];
  const failures: unknown[] = [];
  const fault: { error: Error | undefined } = { error: undefined };
  const store = {
    note: async (id: string, at: number): Promise<void> => {
      if (fault.error !== undefined) throw fault.error;
      notes.push([id, at]);
    },
  };
  return {
    uses: createCredentialUses(store, (error) => failures.push(error), mostRemembered),
    notes,
    failures,
    fault,
  };
}

test('however many tokens are issued on a credential, it is noted once an hour', () => {
  const { uses, notes } = scene();
  for (let at = 0; at < NOTED_EVERY_MS; at += 1000) uses.issued('crd_1', at);
  uses.issued('crd_2', 5);
  uses.issued('crd_1', NOTED_EVERY_MS);
  expect(notes).toEqual([
    ['crd_1', 0],
    ['crd_2', 5],
    ['crd_1', NOTED_EVERY_MS],
  ]);
});

test('a note that was not written is tried again a minute later, and told', async () => {
  const { uses, notes, failures, fault } = scene();
  fault.error = new Error('no database');
  uses.issued('crd_1', 0);
  await Promise.resolve();
  await Promise.resolve();
  expect(failures).toEqual([fault.error]);
  fault.error = undefined;
  uses.issued('crd_1', 59_999);
  expect(notes).toEqual([]);
  uses.issued('crd_1', 60_000);
  expect(notes).toEqual([['crd_1', 60_000]]);
});

test('memory is bounded: beyond it some are noted more often', () => {
  const { uses, notes } = scene(2);
  for (const id of ['a', 'b', 'a', 'c', 'c', 'a']) uses.issued(id, 0);
  expect(notes.map(([id]) => id)).toEqual(['a', 'b', 'c', 'a']);
});

test('a clock that was set back is noted anew', () => {
  const { uses, notes } = scene();
  uses.issued('crd_1', 10 * NOTED_EVERY_MS);
  uses.issued('crd_1', 0);
  expect(notes).toHaveLength(2);
});
