import { parseSpiffeId, type TrustDomain } from '@countersign/protocol';
import { spiffeIdOfIdentity } from '../../ca/names.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Tell } from '../change-rules.ts';
import { type AgeDeps, addCredential, type NewCredential } from '../new-credential.ts';
import type { PolicyStores } from '../policy/require-policies.ts';
import { RegistryRefusal } from '../refusal.ts';

export type SpiffeCredentialDeps = AgeDeps & { readonly trustDomain: TrustDomain };

/** Whoever shows an SVID with this SPIFFE ID is the identity: draft-ietf-oauth-spiffe-client-auth §3. */
export async function createSpiffeCredential(
  deps: SpiffeCredentialDeps,
  stores: PolicyStores & Pick<Stores, 'trustDomains'>,
  tell: Tell,
  identity: IdentityRecord,
  { spiffeId, ...asked }: NewCredential & { readonly spiffeId: string },
): Promise<CredentialRecord> {
  const id = parseSpiffeId(spiffeId);
  if (id === undefined || id.path === '') throw refused('must be the SPIFFE ID of a workload: it has a path');
  if (id.trustDomain === deps.trustDomain) {
    const own = spiffeIdOfIdentity(deps.trustDomain, identity).text;
    // Here each machine has one name: another one's would be another machine's proof.
    if (id.text !== own) throw refused(`in the trust domain of this deployment it is called ${own}`);
  } else if ((await stores.trustDomains.byTrustDomain(id.trustDomain)) === undefined) {
    throw new RegistryRefusal(
      'unknown_reference',
      `the trust domain ${id.trustDomain} is not declared here`,
      {
        pointer: '/spiffe_id',
      },
    );
  }
  const material = { type: 'spiffe', spiffeId: id.text } as const;
  return await addCredential(deps, stores, tell, identity, asked, { material, name: id.text });
}

function refused(message: string): RegistryRefusal {
  return new RegistryRefusal('refused_by_policy', message, { pointer: '/spiffe_id' });
}
