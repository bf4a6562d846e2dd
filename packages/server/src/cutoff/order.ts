import type { Clock } from '../clock.ts';
import { newId, type RandomBytes } from '../ids.ts';
import type { CutoffKind, CutoffRecord } from '../storage/cutoffs.ts';
import type { Stores } from '../storage/storage.ts';

export interface CutoffOrder {
  readonly kind: CutoffKind;
  /** What verifiers compare: client_id, credential id, jti or kid. */
  readonly target: string;
  readonly reason: string;
  readonly orderedBy: string;
}

/** Milliseconds, where there are other nodes: for how far their clocks are apart, and for the commit itself. */
const SKEW = 1_000;

/**
 * Orders, in the caller's transaction, that tokens of the target issued up to now are no longer trusted. The instant is
 * the end of the second that is running: a token of this very second may have been signed a moment ago, and one that is
 * being signed while the order commits carries this second or the next. Where nodes share a database it lies as much
 * later as one of them may go on issuing without having heard, and clocks may differ.
 *
 * The price: what is resumed at once gets tokens that verifiers refuse until that instant has passed, 1 to 2 seconds
 * on one node and 4 to 5 on several. Order as the last thing of a transaction: what comes after it eats
 * into the second that is kept for commit and clocks (database/postgres-transaction.ts begins anew when it is too much).
 */
export async function orderCutoff(
  deps: { readonly clock: Clock; readonly random: RandomBytes },
  stores: Pick<Stores, 'cutoffs' | 'statusIndexes' | 'staleness'>,
  order: CutoffOrder,
): Promise<CutoffRecord> {
  const now = deps.clock.now();
  // What was issued until now must not come back with it.
  if (order.kind === 'identity') await stores.statusIndexes.end({ identity: order.target }, now);
  if (order.kind === 'credential') await stores.statusIndexes.end({ credential: order.target }, now);
  const unheard = stores.staleness > 0 ? stores.staleness + SKEW : 0;
  return await stores.cutoffs.append({
    id: newId('cut', deps.random),
    kind: order.kind,
    target: order.target,
    notBefore: Math.floor((now + unheard) / 1000) + 1,
    reason: order.reason,
    orderedBy: order.orderedBy,
    createdAt: now,
  });
}
