import { type StandingVerdict, standingVerdict } from '../../policy/declared/standing-verdict.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { AccessFacts } from '../facts.ts';
import { policyFactsOf } from './facts.ts';
import { exemptOf } from './in-force.ts';

/** What the policies that were enforced at `at` (epoch ms) say of a token on this credential, by what it held then. */
export async function verdictAt(
  stores: Pick<Stores, 'policies' | 'policyExceptions' | 'access' | 'resourceServers'>,
  identity: IdentityRecord,
  credential: CredentialRecord,
  at: number,
): Promise<StandingVerdict | undefined> {
  if (identity.builtIn) return undefined;
  const policies = (await stores.policies.activeAsOf(at)).filter(({ mode }) => mode === 'enforce');
  if (policies.length === 0) return undefined;
  const access: AccessFacts[] = [];
  const { items } = await stores.access.listAsOf({ identityId: identity.id, state: 'active' }, at, {
    limit: 1000,
  });
  for (const record of items) {
    const resourceServer = await stores.resourceServers.byId(record.resourceServerId);
    if (resourceServer !== undefined) access.push({ access: record, resourceServer });
  }
  const known = policyFactsOf({ identity, credentials: [credential], access }, { now: at });
  const exceptions = await stores.policyExceptions.ofIdentityAsOf(identity.id, at);
  return standingVerdict(policies, known, exemptOf(exceptions));
}
