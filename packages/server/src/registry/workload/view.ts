import type { TrustDomain } from '@countersign/protocol';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { WorkloadRecord } from '../../storage/workloads.ts';
import { spiffeIdOfIdentity } from '../../ca/names.ts';
import { rfc3339 } from '../views.ts';

export interface WorkloadView {
  id: string;
  agent: string;
  identity: string;
  spiffe_id: string;
  selectors: string[];
  hint: string | null;
  state: WorkloadRecord['state'];
  expires_at: string;
  created_at: string;
  updated_at: string;
  version: number;
}

export function workloadView(
  trustDomain: TrustDomain,
  record: WorkloadRecord,
  agent: IdentityRecord,
  identity: IdentityRecord,
): WorkloadView {
  return {
    id: record.id,
    agent: agent.clientId,
    identity: identity.clientId,
    spiffe_id: spiffeIdOfIdentity(trustDomain, identity).text,
    selectors: [...record.selectors],
    hint: record.hint ?? null,
    state: record.state,
    expires_at: rfc3339(record.expiresAt),
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}
