import type { ClaimCodeRecord } from '../../storage/claim-codes.ts';
import { rfc3339 } from '../views.ts';

/** A claim code as people and programs see it; never the code. */
export interface ClaimCodeView {
  id: string;
  identity: string;
  client_id: string;
  public_id: string;
  state: 'open' | 'used' | 'revoked' | 'expired';
  certificate: string | null;
  used_at: string | null;
  expires_at: string;
  created_at: string;
  version: number;
}

export function claimCodeView(record: ClaimCodeRecord, clientId: string, now: number): ClaimCodeView {
  const { used } = record;
  return {
    id: record.id,
    identity: record.identityId,
    client_id: clientId,
    public_id: record.publicId,
    state: record.state === 'open' && record.expiresAt <= now ? 'expired' : record.state,
    certificate: used?.certificateId ?? null,
    used_at: used === undefined ? null : rfc3339(used.at),
    expires_at: rfc3339(record.expiresAt),
    created_at: rfc3339(record.createdAt),
    version: record.version,
  };
}
