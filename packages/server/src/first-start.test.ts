import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anEvent } from '../test/segments.ts';
import type { LoggedEvent } from './audit/event.ts';
import { openSqliteStorage } from './database/sqlite.ts';
import { requireRegistryOfLog, untilAlone } from './first-start.ts';
import { StorageError } from './storage/errors.ts';
import type { Storage } from './storage/storage.ts';

let storage: Storage;
beforeEach(async () => {
  storage = await openSqliteStorage({ path: ':memory:' });
});
afterEach(async () => {
  await storage.close();
});

const event: LoggedEvent = { ...anEvent(), seq: 1 };
const log = (events: readonly LoggedEvent[], meanwhile = async (): Promise<void> => undefined) => ({
  find: async () => {
    await meanwhile();
    return events;
  },
});

describe('an empty registry', () => {
  it('is begun beside an empty log, and not beside one that has events', async () => {
    await requireRegistryOfLog(storage, log([]));
    await expect(requireRegistryOfLog(storage, log([event]))).rejects.toThrow('restore the registry');
  });

  it('is not taken for lost when another node begins it at the same moment', async () => {
    const meanwhile = () => storage.settings.set('built_in_identity', 'idn_x');
    await requireRegistryOfLog(storage, log([event], meanwhile));
    // Nor is the log asked, which may take long, when something is in the registry.
    await requireRegistryOfLog(storage, { find: () => Promise.reject(new Error('asked')) });
  });
});

describe('work that nodes do at the same moment', () => {
  const failing = (times: number, error: Error) => {
    let runs = 0;
    return async () => {
      if (++runs <= times) throw error;
      return runs;
    };
  };

  it('is done again after a conflict, three times at most', async () => {
    expect(await untilAlone(failing(1, new StorageError('unique_conflict', 'active_alg')))).toBe(2);
    expect(await untilAlone(failing(3, new StorageError('version_conflict', 'signing_key')))).toBe(4);
    await expect(untilAlone(failing(4, new StorageError('unique_conflict', 'id')))).rejects.toThrow('id');
  });

  it('is not done again after anything else', async () => {
    await expect(untilAlone(failing(1, new StorageError('unavailable', 'x')))).rejects.toThrow('unavailable');
    await expect(untilAlone(failing(1, new RangeError('bug')))).rejects.toThrow('bug');
  });
});
