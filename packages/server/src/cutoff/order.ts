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

/**
 * Orders, in the caller's transaction, that tokens of the target issued up to now are no longer trusted. The instant is
 * the end of the second that is running: a token of this very second may have been signed a moment ago, and one that is
 * being signed while the order commits carries this second or the next.
 */
export async function orderCutoff(
  deps: { readonly clock: Clock; readonly random: RandomBytes },
  stores: Pick<Stores, 'cutoffs'>,
  order: CutoffOrder,
): Promise<CutoffRecord> {
  const now = deps.clock.now();
  return await stores.cutoffs.append({
    id: newId('cut', deps.random),
    kind: order.kind,
    target: order.target,
    notBefore: Math.floor(now / 1000) + 1,
    reason: order.reason,
    orderedBy: order.orderedBy,
    createdAt: now,
  });
}
