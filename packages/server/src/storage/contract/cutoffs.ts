import { expect, it } from 'vitest';
import type { CutoffRecord } from '../cutoffs.ts';
import { T0, freshId } from './records.ts';
import type { Subject } from './subject.ts';

function order(): Omit<CutoffRecord, 'cursor'> {
  const seconds = T0 / 1000;
  return {
    id: freshId('cut'),
    kind: 'identity',
    target: 'payments',
    notBefore: seconds,
    reason: 'leaked',
    orderedBy: 'ada',
    createdAt: T0,
  };
}

export function cutoffContract({ storage }: Subject): void {
  it('numbers from 1 and gives back what was appended', async () => {
    expect(await storage().cutoffs.head()).toBe(0);
    expect(await storage().cutoffs.after(0, 10)).toEqual([]);
    const first = order();
    expect(await storage().cutoffs.append(first)).toStrictEqual({ ...first, cursor: 1 });
    const second = { ...order(), kind: 'token' as const };
    expect(await storage().cutoffs.append(second)).toStrictEqual({ ...second, cursor: 2 });
    expect(await storage().cutoffs.head()).toBe(2);
    expect(await storage().cutoffs.after(0, 1)).toStrictEqual([{ ...first, cursor: 1 }]);
    expect(await storage().cutoffs.after(1, 10)).toStrictEqual([{ ...second, cursor: 2 }]);
    expect(await storage().cutoffs.after(2, 10)).toEqual([]);
  });

  it('finds the orders about one thing that reach tokens of an instant', async () => {
    const seconds = T0 / 1000;
    const append = (kind: CutoffRecord['kind'], target: string, notBefore: number): Promise<CutoffRecord> =>
      storage().cutoffs.append({ ...order(), kind, target, notBefore });
    const first = await append('credential', 'crd_traced', seconds);
    await append('identity', 'crd_traced', seconds);
    await append('credential', 'crd_other', seconds);
    const second = await append('credential', 'crd_traced', seconds + 10);
    const found = (issuedAt: number, limit: number): Promise<readonly CutoffRecord[]> =>
      storage().cutoffs.ofTarget({ kind: 'credential', target: 'crd_traced' }, issuedAt, limit);
    expect(await found(seconds, 10)).toStrictEqual([first, second]);
    expect(await found(seconds + 1, 10)).toStrictEqual([second]);
    expect(await found(seconds, 1)).toStrictEqual([first]);
    expect(await found(seconds + 11, 10)).toEqual([]);
  });

  it('sweeps the orders of tokens that have ended, those alone, and gives no cursor twice', async () => {
    const start = await storage().cutoffs.head();
    const seconds = T0 / 1000;
    const append = (kind: CutoffRecord['kind'], notBefore: number): Promise<CutoffRecord> =>
      storage().cutoffs.append({ ...order(), kind, notBefore });
    await append('token', seconds - 1);
    const identity = await append('identity', seconds - 1);
    const late = await append('token', seconds);
    await append('token', seconds - 2);
    const swept = await storage().cutoffs.sweepTokens(seconds);
    expect(swept).toBeGreaterThanOrEqual(2);
    expect(await storage().cutoffs.after(start, 10)).toStrictEqual([identity, late]);
    expect(await storage().cutoffs.sweepTokens(seconds)).toBe(0);
    expect(await storage().cutoffs.head()).toBe(start + 4);
    expect((await append('key', seconds)).cursor).toBe(start + 5);
  });

  it('leaves no gap behind a transaction that was rolled back', async () => {
    const before = await storage().cutoffs.head();
    const failing = storage().transaction(async ({ cutoffs }) => {
      await cutoffs.append(order());
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await storage().cutoffs.head()).toBe(before);
    expect((await storage().cutoffs.append(order())).cursor).toBe(before + 1);
  });

  it('never shows a cursor before the one below it, however many append and read at once', async () => {
    const start = await storage().cutoffs.head();
    let reading = true;
    const reader = (async () => {
      while (reading) {
        const entries = await storage().cutoffs.after(start, 1000);
        const cursors = entries.map((entry) => entry.cursor);
        expect(cursors).toEqual(cursors.map((_, index) => start + index + 1));
        expect(await storage().cutoffs.head()).toBeGreaterThanOrEqual(start + cursors.length);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const given = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        index % 2 === 0
          ? storage().cutoffs.append(order())
          : storage().transaction(async ({ cutoffs, settings }) => {
              const entry = await cutoffs.append(order());
              await settings.set(`after ${entry.cursor}`, 'slow');
              return entry;
            }),
      ),
    );
    reading = false;
    await reader;
    const cursors = given.map((entry) => entry.cursor).sort((a, b) => a - b);
    expect(cursors).toEqual(cursors.map((_, index) => start + index + 1));
  });
}
