import type { Tell } from '../../registry/change-rules.ts';
import { requireWithin } from '../../registry/own-access.ts';
import {
  changeTrustDomain,
  createTrustDomain,
  deleteTrustDomain,
} from '../../registry/spiffe/trust-domain.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Application } from './application.ts';
import type { DeclaredTrustDomain } from './declared.ts';
import { everyOne } from './every-one.ts';
import type { Removal } from './removal.ts';

/** Who may apply documents need not be who may say whose SVIDs count. */
const WRITE = 'trust-domains:write';

export async function bringTrustDomain(
  { deps, ceiling }: Application,
  stores: Stores,
  tell: Tell,
  { trustDomain: declared }: DeclaredTrustDomain,
): Promise<void> {
  requireWithin(ceiling, [WRITE]);
  const record = await stores.trustDomains.byTrustDomain(declared.trustDomain);
  if (record === undefined) await createTrustDomain(deps, stores, tell, ceiling, declared);
  else {
    const { name = null, bundle, bundleEndpoint, endpointSpiffeId } = declared;
    const change = { name, bundle, bundleEndpoint, endpointSpiffeId };
    await changeTrustDomain(deps, stores, tell, ceiling, record, change);
  }
}

/** Those that are not declared. */
export async function trustDomainRemovals(
  { deps, ceiling }: Application,
  stores: Stores,
  declared: ReadonlySet<string>,
): Promise<readonly Removal[]> {
  const found: Removal[] = [];
  for await (const { id, trustDomain } of everyOne((page) => stores.trustDomains.list(page))) {
    if (declared.has(`TrustDomain ${trustDomain}`)) continue;
    found.push(async (now, tell) => {
      requireWithin(ceiling, [WRITE]);
      const present = await now.trustDomains.byId(id);
      if (present?.state === 'active') await deleteTrustDomain(deps, now, tell, present);
      return undefined;
    });
  }
  return found;
}
