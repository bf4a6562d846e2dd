import type { CredentialRecord } from '../storage/credentials.ts';
import type { Position } from '../storage/page.ts';
import type { Stores } from '../storage/storage.ts';
import type { TrustedIssuerRecord } from '../storage/trusted-issuers.ts';
import type { RuleDeps, Tell } from './change-rules.ts';
import { cutOffTokensOf } from './cut-off.ts';

/**
 * Rules looked at in one transaction: an order has to commit soon after it was made (cutoff/order.ts), and an issuer may have
 * thousands of rules.
 */
const BATCH = 50;
/** No token lives longer than a day (config/settings/tokens.ts): of what was revoked before that none is left. */
const LONGEST_TOKEN_MS = 86_400_000;

export interface RulesCutOff {
  /** Credentials whose tokens are no longer trusted. */
  readonly cutOff: number;
  /** Where the next batch begins; undefined: these were the last. */
  readonly next: Position | undefined;
}

/**
 * Ends, in the caller's transaction, the tokens that were issued for tokens of a trusted issuer, by its rules: a batch of them
 * from `after` on. The rules stay as they are, and give tokens again once the issuer is believed again.
 */
export async function cutOffRules(
  deps: RuleDeps,
  stores: Pick<Stores, 'credentials' | 'cutoffs' | 'statusIndexes' | 'staleness'>,
  tell: Tell,
  { id, issuer }: Pick<TrustedIssuerRecord, 'id' | 'issuer'>,
  asked: { readonly after: Position | undefined; readonly verb: string; readonly orderedBy: string },
): Promise<RulesCutOff> {
  const { after, verb, orderedBy } = asked;
  const { items, next } = await stores.credentials.list({ trustedIssuerId: id }, { limit: BATCH, after });
  const since = deps.clock.now() - LONGEST_TOKEN_MS;
  const live = items.filter((rule) => mayHaveTokens(rule, since));
  for (const { id: credentialId } of live) {
    const reason = `trusted issuer ${verb}: ${issuer}`;
    await cutOffTokensOf(deps, stores, tell, { credentialId, reason, orderedBy });
  }
  return { cutOff: live.length, next };
}

function mayHaveTokens({ state, updatedAt, expiresAt }: CredentialRecord, since: number): boolean {
  return expiresAt > since && (state !== 'revoked' || updatedAt > since);
}
