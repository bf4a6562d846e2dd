import { StorageError } from './storage/errors.ts';

const MOST_TRIES = 3;

/** Does the work again when another node did it at the same moment: then there is nothing left to do, or less. */
export async function untilAlone<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const conflict =
        error instanceof StorageError &&
        (error.fault === 'unique_conflict' || error.fault === 'version_conflict');
      if (!conflict || attempt > MOST_TRIES) throw error;
    }
  }
}
