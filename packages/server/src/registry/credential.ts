import type { CredentialMaterial, CredentialRecord, CredentialState } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import { narrowEnd, type RuleDeps, same, type Tell } from './change-rules.ts';
import { type AgeDeps, latestEnd } from './new-credential.ts';
import { type PolicyStores, requirePolicies } from './policy/require-policies.ts';
import { RegistryRefusal } from './refusal.ts';
import { credentialView } from './credential-view.ts';

export interface CredentialChange {
  readonly label?: string | undefined;
  readonly expiresAt?: number | undefined;
  readonly state?: 'active' | 'suspended' | undefined;
  /** Checked by the caller, and of the same type. */
  readonly material?: CredentialMaterial | undefined;
}

/** The record with the change made; the same record, and no event, when there is nothing to change. */
export async function changeCredential(
  deps: AgeDeps,
  stores: PolicyStores,
  tell: Tell,
  identity: IdentityRecord,
  record: CredentialRecord,
  change: CredentialChange,
): Promise<CredentialRecord> {
  const now = deps.clock.now();
  let { expiresAt } = record;
  if (change.expiresAt !== undefined && change.expiresAt !== record.expiresAt) {
    expiresAt = narrowEnd(
      now,
      change.expiresAt,
      latestEnd(deps, identity, record.material, record.createdAt),
    );
  }
  const changed: CredentialRecord = {
    ...record,
    label: change.label ?? record.label,
    state: change.state ?? record.state,
    material: change.material ?? record.material,
    expiresAt,
  };
  if (same(changed, record)) return record;
  const state = record.state !== 'revoked' && record.expiresAt <= now ? 'expired' : record.state;
  if (state === 'revoked' || state === 'expired') {
    throw new RegistryRefusal('illegal_transition', `a credential that is ${state} stays ${state}`);
  }
  if (changed.state === 'active') {
    // What was suspended counted for nothing: coming back is a beginning.
    const before = record.state === 'active' ? record : undefined;
    await requirePolicies(deps, stores, tell, identity, { credential: { before, after: changed } });
  }
  return await replace(deps, stores, tell, identity, record, changed, eventOf(record.state, changed.state));
}

/** Its end has come: for ever. The same record, and no event, when it has not, or when it has ended already. */
export async function expireCredential(
  deps: RuleDeps,
  stores: Pick<Stores, 'credentials'>,
  tell: Tell,
  identity: IdentityRecord,
  record: CredentialRecord,
): Promise<CredentialRecord> {
  if (record.state === 'revoked' || record.state === 'expired') return record;
  if (record.expiresAt > deps.clock.now()) return record;
  const expired: CredentialRecord = { ...record, state: 'expired' };
  return await replace(deps, stores, tell, identity, record, expired, 'credential.expired');
}

/** For ever. The same record, and no event, when it is revoked already. */
export async function revokeCredential(
  deps: RuleDeps,
  stores: Pick<Stores, 'credentials'>,
  tell: Tell,
  identity: IdentityRecord,
  record: CredentialRecord,
): Promise<CredentialRecord> {
  if (record.state === 'revoked') return record;
  const revoked: CredentialRecord = { ...record, state: 'revoked' };
  return await replace(deps, stores, tell, identity, record, revoked, 'credential.revoked');
}

async function replace(
  deps: RuleDeps,
  stores: Pick<Stores, 'credentials'>,
  tell: Tell,
  identity: IdentityRecord,
  before: CredentialRecord,
  after: CredentialRecord,
  type: string,
): Promise<CredentialRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.credentials.replace(next);
  tell({
    type,
    resource: before.id,
    before: credentialView(before, identity.clientId),
    after: credentialView(next, identity.clientId),
  });
  return next;
}

function eventOf(before: CredentialState, after: CredentialState): string {
  if (before === after) return 'credential.updated';
  return after === 'suspended' ? 'credential.suspended' : 'credential.resumed';
}
