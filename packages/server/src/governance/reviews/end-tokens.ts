import { orderCutoff } from '../../cutoff/order.ts';
import type { AccessEnds } from '../../registry/access-ends.ts';
import type { RuleDeps, Tell } from '../../registry/change-rules.ts';
import { type CutoffReachDeps, lifeAt } from '../../registry/cutoff-reach.ts';
import { NOTED_EVERY_MS } from '../../registry/use/credential-uses.ts';
import { cutoffView } from '../../registry/views.ts';
import type { ReviewRecord } from '../../storage/reviews.ts';
import type { Stores } from '../../storage/storage.ts';

export type TokenDeps = RuleDeps & CutoffReachDeps;

/** Within which resource servers that are connected have heard of an order: docs/operate/promises.md, 3. */
const HEARD_WITHIN_MS = 2000;

export interface Ending {
  readonly ends: AccessEnds;
  readonly how: ReviewRecord['tokens'];
  readonly reason: string;
  readonly orderedBy: string;
}

export interface Ended {
  readonly cutoffId: string | undefined;
  /** Epoch ms, from which on no token is accepted that holds what was taken away. */
  readonly effectiveAt: number;
}

/**
 * Ends the tokens that were issued under an access, in the caller's transaction and as its last change. There is no order for
 * one access: it is one for the identity, whose next tokens hold what is left. None where no token of it can be alive.
 */
export async function endTokens(
  deps: TokenDeps,
  stores: Pick<Stores, 'cutoffs' | 'statusIndexes' | 'staleness' | 'credentialUse'>,
  tell: Tell,
  { ends, how, reason, orderedBy }: Ending,
): Promise<Ended> {
  const now = deps.clock.now();
  // Lifetimes of the API or the access may have been longer when the last token was issued: that one lives on.
  const longest = deps.lifetimes.maximum * 1000;
  const last = (await stores.credentialUse.ofIdentities([ends.identity.id])).get(ends.identity.id);
  if (last !== undefined && last + NOTED_EVERY_MS + longest < now)
    return { cutoffId: undefined, effectiveAt: now };
  if (how === 'run_out')
    return { cutoffId: undefined, effectiveAt: now + lifeAt(deps, ends.resourceServer) * 1000 };
  const cutoff = await orderCutoff(deps, stores, {
    kind: 'identity',
    target: ends.identity.clientId,
    reason,
    orderedBy,
  });
  tell({ type: 'cutoff.ordered', resource: cutoff.id, reason, after: cutoffView(cutoff) });
  return { cutoffId: cutoff.id, effectiveAt: cutoff.notBefore * 1000 + HEARD_WITHIN_MS };
}
