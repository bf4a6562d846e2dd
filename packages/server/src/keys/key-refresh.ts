import type { Clock } from '../clock.ts';

/** What kids of this authority look like (ids.ts): those of others are no reason to read anything. */
export const OWN_KID: RegExp = /^key_[0-9a-z]{20}$/;
/** Least time between two readings of the keys that tokens with unknown ones cause: anybody can make those up. */
const EVERY_MS = 1000;

/**
 * For who met a key that this node does not know: another may have made it a moment ago, and signed with it before the news
 * of it came here. Resolves when the keys were read, or were read less than a second ago. Rejects `StorageError` when they
 * cannot be read.
 */
export function createKeyRefresh(deps: {
  readonly keystore: { reload(): Promise<void> };
  readonly clock: Clock;
}): () => Promise<void> {
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  return async () => {
    const now = deps.clock.now();
    // A clock that was set back counts as time gone by.
    if (reading === undefined && Math.abs(now - readAt) >= EVERY_MS) {
      readAt = now;
      reading = deps.keystore.reload().finally(() => (reading = undefined));
    }
    await reading;
  };
}
