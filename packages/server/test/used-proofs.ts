import { ProofShareUsedUp, StorageError } from '../src/storage/errors.ts';
import type { UsedOnceStore } from '../src/storage/used-once.ts';

const AT_A_TIME = 10_000;
let made = 0;

/** Claims for one holder, as with valid proofs that live until then (epoch ms), until no more are taken; how many were. */
export async function flood(
  usedOnce: Pick<UsedOnceStore, 'claim'>,
  holder: string,
  until: number,
): Promise<number> {
  for (let taken = 0; ; ) {
    const claims = Array.from({ length: AT_A_TIME }, () =>
      usedOnce.claim('jti', `flood ${made++}`, until, holder),
    );
    const ends = await Promise.allSettled(claims);
    taken += ends.filter((end) => end.status === 'fulfilled' && end.value).length;
    const failed = ends.find((end) => end.status === 'rejected')?.reason as unknown;
    if (failed instanceof ProofShareUsedUp || failed instanceof StorageError) return taken;
    if (failed !== undefined) throw failed as Error;
  }
}
