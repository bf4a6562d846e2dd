import { ProblemError } from './problem.ts';

/** Does a piece of work when those before it are done. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

const RETRY_LATER = { 'retry-after': '10' } as const;

/**
 * For what looks at the whole estate: many who ask at once cost the tokens of this node no more than one does. Rejects with
 * `unavailable` when `most` have been asked for and are not done.
 */
export function createTurns(most: number): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  let asked = 0;
  return async (work) => {
    if (asked >= most) {
      const detail = 'others are having the estate looked at; it is done for one after the other';
      throw new ProblemError('unavailable', { detail }, RETRY_LATER);
    }
    asked++;
    const own = last.then(work);
    last = own.catch(() => undefined);
    try {
      return await own;
    } finally {
      asked--;
    }
  };
}
