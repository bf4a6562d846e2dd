import type { Tell } from '../../registry/change-rules.ts';
import type { MaximumAge } from '../../registry/credential-age.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { IdentityRiskRecord } from '../../storage/identity-risks.ts';
import type { Stores } from '../../storage/storage.ts';
import { readRisk, type RiskStores } from '../risk/read-risk.ts';
import { bandOf, type RiskFacts, riskOf } from '../risk/score.ts';

/** What is the same for every score. */
export interface RiskDeps {
  readonly maximumAge: MaximumAge;
  /** Seconds that tokens live where nothing else is said. */
  readonly lifetimes: { readonly default: number };
}

/** Whether the score that is kept is another one by now. What was never a risk is not kept. */
export async function isRiskNews(
  deps: RiskDeps,
  { identityRisks }: Pick<Stores, 'identityRisks'>,
  seen: Pick<RiskFacts, 'facts' | 'findings' | 'proposals'>,
  now: number,
): Promise<boolean> {
  const { score } = riskOf({ ...seen, ...givenBy(deps) }, now);
  return score !== ((await identityRisks.of(seen.facts.identity.id))?.score ?? 0);
}

/** Keeps the score as it is now, in the caller's transaction. Told when it comes into another band. */
export async function keepRisk(
  deps: RiskDeps,
  stores: RiskStores & Pick<Stores, 'identityRisks'>,
  tell: Tell,
  identity: IdentityRecord,
  now: number,
): Promise<void> {
  const before = await stores.identityRisks.of(identity.id);
  const { score, band } = await readRisk(stores, identity, givenBy(deps), now);
  if (score === (before?.score ?? 0)) return;
  await stores.identityRisks.put({ identityId: identity.id, score, at: now });
  if (before === undefined || bandOf(before.score) === band) return;
  tell({
    type: 'risk.changed',
    resource: identity.id,
    before: viewOf(before, identity),
    after: viewOf({ identityId: identity.id, score, at: now }, identity),
  });
}

function givenBy({ maximumAge, lifetimes }: RiskDeps): Pick<RiskFacts, 'maximumAge' | 'tokenLifetime'> {
  return { maximumAge, tokenLifetime: lifetimes.default };
}

function viewOf({ score }: IdentityRiskRecord, { clientId }: IdentityRecord): object {
  return { client_id: clientId, score, band: bandOf(score) };
}
