import { readFactsOf } from '../../registry/facts-cache.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import { type Risk, type RiskFacts, riskOf } from './score.ts';

export type RiskStores = Pick<
  Stores,
  'credentials' | 'access' | 'resourceServers' | 'findings' | 'proposals'
>;

/** The risk of one identity as it is now. */
export async function readRisk(
  stores: RiskStores,
  identity: IdentityRecord,
  given: Pick<RiskFacts, 'maximumAge' | 'tokenLifetime'>,
  now: number,
): Promise<Risk> {
  const facts = await readFactsOf(stores, identity);
  const findings = await stores.findings.liveOfIdentity(identity.id);
  const proposals = await stores.proposals.liveOf([identity.id]);
  return riskOf({ facts, findings, proposals, ...given }, now);
}
