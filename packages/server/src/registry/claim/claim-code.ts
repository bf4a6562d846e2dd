import { generateSecret } from '@countersign/protocol';
import type { Actor } from '../../audit/change.ts';
import { newId } from '../../ids.ts';
import type { ClaimCodeRecord } from '../../storage/claim-codes.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import { partyOf } from '../approval/party.ts';
import { narrowEnd, type RuleDeps, type Tell } from '../change-rules.ts';
import { RegistryRefusal } from '../refusal.ts';
import { claimCodeView } from './view.ts';

export interface ClaimCodeDeps extends RuleDeps {
  /** Keyed digest of a secret (secret-hash.ts). */
  readonly digest: (secret: string) => string;
  /** Milliseconds for which a code is good at most. */
  readonly claimCodeLifetime: number;
}

/** Open ones of one identity that are looked for: there is never more than one. */
const MOST_OPEN = 10;

/**
 * Makes the code with which one device claims this identity, in place of one that is open. It is in the result and nowhere else:
 * what is stored is its digest.
 */
export async function createClaimCode(
  deps: ClaimCodeDeps,
  stores: Pick<Stores, 'claimCodes'>,
  tell: Tell,
  identity: IdentityRecord,
  asked: { readonly expiresAt: number | undefined; readonly by: Actor },
): Promise<{ readonly record: ClaimCodeRecord; readonly code: string }> {
  const now = deps.clock.now();
  if (identity.state !== 'active' && identity.state !== 'approved')
    throw new RegistryRefusal('illegal_transition', `the identity is ${identity.state}: nobody claims it`);
  const latest = Math.min(identity.expiresAt, now + deps.claimCodeLifetime);
  const open = await stores.claimCodes.list({ identityId: identity.id, state: 'open' }, { limit: MOST_OPEN });
  for (const each of open.items) await revokeClaimCode(deps, stores, tell, identity, each);
  const { secret: code, publicId } = generateSecret('cdc', deps.random);
  const record: ClaimCodeRecord = {
    id: newId('clm', deps.random),
    identityId: identity.id,
    publicId,
    digest: deps.digest(code),
    state: 'open',
    madeBy: partyOf(asked.by),
    expiresAt: narrowEnd(now, asked.expiresAt ?? latest, latest),
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await stores.claimCodes.insert(record);
  tell({
    type: 'claim_code.created',
    resource: record.id,
    after: claimCodeView(record, identity.clientId, now),
  });
  return { record, code };
}

/** The same record, and no event, when it is not open any more. */
export async function revokeClaimCode(
  { clock }: Pick<RuleDeps, 'clock'>,
  stores: Pick<Stores, 'claimCodes'>,
  tell: Tell,
  identity: IdentityRecord,
  record: ClaimCodeRecord,
): Promise<ClaimCodeRecord> {
  if (record.state !== 'open') return record;
  const now = clock.now();
  const revoked: ClaimCodeRecord = {
    ...record,
    state: 'revoked',
    updatedAt: now,
    version: record.version + 1,
  };
  await stores.claimCodes.replace(revoked);
  tell({
    type: 'claim_code.revoked',
    resource: record.id,
    before: claimCodeView(record, identity.clientId, now),
    after: claimCodeView(revoked, identity.clientId, now),
  });
  return revoked;
}
