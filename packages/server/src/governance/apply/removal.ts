import type { Tell } from '../../registry/change-rules.ts';
import type { Stores } from '../../storage/storage.ts';

/**
 * Ends one object, in the caller's transaction; nothing when it has ended meanwhile. What it resolves to is still to be done
 * for it, in a transaction of its own.
 */
export type Removal = (stores: Stores, tell: Tell) => Promise<Removal | undefined>;
