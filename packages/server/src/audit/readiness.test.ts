import { beforeEach, describe, expect, it } from 'vitest';
import { pooledRandom } from '../ids.ts';
import type { AuditEvent } from './event.ts';
import { createAuditLog } from './group-commit.ts';
import type { AuditLog } from './log.ts';
import { createLogReadiness } from './readiness.ts';
import { anEvent } from '../../test/segments.ts';

let full: boolean;
let held: AuditEvent[];
let tries: number;
let log: AuditLog;
let ready: () => Promise<boolean>;

beforeEach(() => {
  full = false;
  held = [];
  tries = 0;
  log = createAuditLog(
    {
      async commit(batch) {
        tries++;
        if (full) throw new Error('ENOSPC');
        held.push(...batch);
      },
      find: async () => [],
      known: async () => new Set(),
      freeBytes: () => undefined,
      close: async () => undefined,
    },
    () => undefined,
  );
  const clock = { now: () => Date.parse('2026-11-21T12:00:00.000Z') };
  ready = createLogReadiness({ log, clock, random: pooledRandom(), node: 'n1' });
});

describe('a log that failed', () => {
  beforeEach(async () => {
    full = true;
    await log.append(anEvent()).catch(() => undefined);
    expect(log.healthy()).toBe(false);
  });

  it('is not ready while it goes on failing', async () => {
    expect([await ready(), await ready()]).toEqual([false, false]);
    expect(held).toEqual([]);
  });

  it('is ready as soon as it can be, though nobody sends it work, and says so once', async () => {
    expect(await ready()).toBe(false);
    full = false;
    expect([await ready(), await ready(), log.healthy()]).toEqual([true, true, true]);
    expect(held).toEqual([
      {
        id: expect.stringMatching(/^evt_[0-9a-z]{20}$/),
        at: '2026-11-21T12:00:00.000Z',
        type: 'log.resumed',
        outcome: 'success',
        node: 'n1',
      },
    ]);
  });

  it('is tried once for all who ask at the same time', async () => {
    const before = tries;
    expect(await Promise.all(Array.from({ length: 20 }, () => ready()))).toEqual(Array(20).fill(false));
    expect(tries - before).toBe(1);
  });
});

describe('a log that takes events', () => {
  it('is not asked', async () => {
    expect(await ready()).toBe(true);
    expect([tries, held]).toEqual([0, []]);
  });
});
