import type { Storage } from '../storage/storage.ts';
import { KeyNotPrepared } from './signer.ts';

/** Others may take the keys that were made for this one; each round makes new ones. */
const MOST_ROUNDS = 5;

/** Does `work`, a whole transaction, anew when it lacked a key. */
export async function withPreparedKeys<T>(work: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof KeyNotPrepared) || round === MOST_ROUNDS) throw error;
      await error.prepare();
    }
  }
}

/** The same storage; its transactions begin anew when they lacked a key. */
export function preparingKeys(storage: Storage): Storage {
  return {
    ...storage,
    transaction: (work) => withPreparedKeys(() => storage.transaction(work)),
  };
}
