// How much one caller may ask of the token endpoint: RFC 6585 §4, RFC 9110 §10.2.3. Per process, and never a lockout.
import { networkOf, parseClientId } from '@countersign/protocol';
import { ProofShareUsedUp } from '../../storage/errors.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import { Refusal, type RefusalReason, refusalEntry } from '../refusal.ts';
import type { Attempt } from './attempt.ts';
import { TokenBuckets } from './token-buckets.ts';

export interface BudgetLimits {
  /** Tokens a minute and identity; undefined: no quota. */
  readonly issuanceQuota: number | undefined;
  /** Otherwise it is only counted who would have been refused. */
  readonly enforced: boolean;
  /** Exchanges a minute and API key. */
  readonly apiKeyRate: number;
  /** Failed authentications a minute, claimed client and source network; undefined: no limit. */
  readonly failureLimit: number | undefined;
}

export interface Budgets {
  /** Requests beyond the quota so far, refused or not. */
  readonly overQuota: number;
  /** Takes what this request costs. Throws a `Refusal` that says when to come back, where it is used up. */
  spend(attempt: Attempt, client: AuthenticatedClient): void;
  /** Takes the order by which this identity ends one of its tokens. Throws as `spend` does. */
  spendRevocation(identity: { readonly id: string }, now: number): void;
  /**
   * Counts a refusal; the seconds to wait where this source has failed too often for this client, else 0. Asked after the
   * proof was found wrong and never before: a right one passes from everywhere, however often others have failed.
   */
  failed(attempt: Attempt, reason: RefusalReason): number;
}

/**
 * Of tokens that one identity revokes. Each is an order that every node and every verifier keeps for a day: docs/decisions/0076.
 * At once as many as copies of one client that end together.
 */
export const REVOCATIONS = { atOnce: 1000, aMinute: 60 } as const;
/** Strangers invent pairs; beyond so many the oldest is forgotten. */
const MOST_PAIRS = 10_000;

export function createBudgets(limits: BudgetLimits): Budgets {
  const { issuanceQuota, enforced, failureLimit } = limits;
  const quota = issuanceQuota === undefined ? undefined : new TokenBuckets(issuanceQuota);
  const keys = new TokenBuckets(limits.apiKeyRate);
  const revocations = new TokenBuckets(REVOCATIONS.aMinute, undefined, REVOCATIONS.atOnce);
  const failures = failureLimit === undefined ? undefined : new TokenBuckets(failureLimit, MOST_PAIRS);
  let overQuota = 0;

  return {
    get overQuota() {
      return overQuota;
    },

    spend(attempt, client) {
      if (client.method === 'api_key') {
        const wait = keys.take(client.credential.id, attempt.at);
        if (wait > 0) refuse('api_key_rate_exceeded', wait);
      }
      if (quota === undefined) return;
      const wait = quota.take(client.facts.identity.id, attempt.at);
      if (wait === 0) return;
      overQuota++;
      if (enforced) refuse('issuance_quota_exceeded', wait);
    },

    spendRevocation({ id }, now) {
      const wait = revocations.take(id, now);
      if (wait > 0) refuse('revocation_rate_exceeded', wait);
    },

    failed(attempt, reason) {
      if (failures === undefined || refusalEntry(reason).code !== 'invalid_client') return 0;
      // What can be no client's is kept nowhere: strangers may make it as long as a request.
      const claimed = parseClientId(attempt.claimed ?? '') ?? '';
      return failures.take(`${networkOf(attempt.request.source)} ${claimed}`, attempt.at);
    },
  };
}

/** As a refusal, what the store of used proofs says of one client; all else as it was thrown. */
export function inItsShare(attempt: Attempt, thrown: unknown): unknown {
  if (!(thrown instanceof ProofShareUsedUp)) return thrown;
  // Proved, though the attempt knows of no client yet: its assertion could not be used up.
  attempt.claimed = thrown.holder;
  return new Refusal('proof_share_used_up', { 'retry-after': String(thrown.retryAfter) });
}

function refuse(reason: RefusalReason, wait: number): never {
  throw new Refusal(reason, { 'retry-after': String(wait) });
}
