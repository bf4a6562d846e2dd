import type { Actor } from '../audit/change.ts';
import type { AccessRecord } from '../storage/access.ts';
import type { Party } from '../storage/approvals.ts';
import type { Stores } from '../storage/storage.ts';
import { replaceAccess } from './access.ts';
import type { AccessEnds } from './access-ends.ts';
import { partyOf } from './approval/party.ts';
import { voidPending } from './approval/request.ts';
import type { RuleDeps, Tell } from './change-rules.ts';
import { hasEnded } from './identity.ts';
import { type PolicyStores, requirePolicies } from './policy/require-policies.ts';
import { RegistryRefusal } from './refusal.ts';
import { type HumanStores, sameHuman } from './same-human.ts';

/**
 * Takes an access out of force without ending it: it opens nothing (effective-access.ts knows only what is active), keeps
 * its place and its history, and can be given back. The same record, and no event, when it is not in force.
 */
export async function suspendAccess(
  deps: RuleDeps,
  stores: Pick<Stores, 'access' | 'approvals'>,
  tell: Tell,
  ends: AccessEnds,
  record: AccessRecord,
  reason: string,
): Promise<AccessRecord> {
  if (record.state !== 'active') return record;
  await stores.access.hold(record);
  await voidPending(deps, stores, tell, record.id, 'the access was suspended');
  const suspended = { ...record, state: 'suspended' } as const;
  return await replaceAccess(deps, stores, tell, ends, record, suspended, 'access.suspended', {}, reason);
}

type RestoreStores = Pick<Stores, 'access' | 'approvals'> & HumanStores & PolicyStores;

/**
 * Gives it back as it was, on the word of a person who did not ask for it. Throws `needs_people` for a machine,
 * `self_approval` for whoever asked, `illegal_transition` when it is not suspended or its end has come, and
 * `refused_by_policy` where it would not be given now.
 */
export async function restoreAccess(
  deps: RuleDeps,
  stores: RestoreStores,
  tell: Tell,
  ends: AccessEnds,
  record: AccessRecord,
  by: Actor,
  reason: string,
): Promise<AccessRecord> {
  if (by.person === undefined)
    throw new RegistryRefusal('needs_people', 'what was suspended is given back by people, not by machines');
  if (record.state !== 'suspended')
    throw new RegistryRefusal('illegal_transition', `the access is ${record.state}`);
  if (record.expiresAt <= deps.clock.now())
    throw new RegistryRefusal('illegal_transition', 'the access has expired: ask for another');
  if (hasEnded(ends.identity) || ends.identity.state === 'decommissioning')
    throw new RegistryRefusal('illegal_transition', `the identity is ${ends.identity.state}`);
  if (ends.resourceServer.state !== 'active')
    throw new RegistryRefusal('illegal_transition', 'the resource server is deleted');
  for (const party of await requestersOf(stores, record)) {
    if (await sameHuman(stores, partyOf(by), party)) {
      throw new RegistryRefusal('self_approval', 'whoever asked for it does not give it back to themselves');
    }
  }
  const active = { ...record, state: 'active' } as const;
  // What was suspended counted for nothing: coming back is a beginning.
  await requirePolicies(deps, stores, tell, ends.identity, {
    access: { before: undefined, after: active, resourceServer: ends.resourceServer },
  });
  return await replaceAccess(deps, stores, tell, ends, record, active, 'access.restored', {}, reason);
}

/**
 * Everybody who had a hand in asking for it, as far as it is known: where people approved it, as they saw it; else by the name
 * on the record, which may be a machine's as well as a person's.
 */
export async function requestersOf(
  stores: Pick<Stores, 'approvals' | 'identities'>,
  { approvalId, requestedBy }: AccessRecord,
): Promise<readonly Party[]> {
  const request = approvalId === undefined ? undefined : await stores.approvals.byId(approvalId);
  const named: Party[] = [{ kind: 'named', handle: requestedBy }];
  if ((await stores.identities.byClientId(requestedBy)) !== undefined) {
    named.push({ kind: 'machine', clientId: requestedBy });
  }
  return [...(request?.parties ?? []), ...named];
}
