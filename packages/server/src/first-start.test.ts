import { describe, expect, it } from 'vitest';
import { untilAlone } from './first-start.ts';
import { StorageError } from './storage/errors.ts';

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
