import type { ChangeEvent } from '../../audit/change.ts';
import type { Storage, Stores } from '../../storage/storage.ts';

class Rollback extends Error {}

/**
 * Runs `work` as it would really run, and undoes it: what it tells is what a real run would change. Rejects with what
 * `work` rejects with, so that a rehearsal finds what the real run would refuse.
 */
export async function rehearse(
  storage: Pick<Storage, 'transaction'>,
  work: (stores: Stores, tell: (event: ChangeEvent) => void) => Promise<unknown>,
): Promise<readonly ChangeEvent[]> {
  const events: ChangeEvent[] = [];
  try {
    await storage.transaction(async (stores) => {
      events.length = 0;
      await work(stores, (event) => events.push(event));
      throw new Rollback();
    });
  } catch (error) {
    if (!(error instanceof Rollback)) throw error;
  }
  return events;
}
