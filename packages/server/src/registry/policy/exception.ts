import type { Actor } from '../../audit/change.ts';
import { newId } from '../../ids.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { PolicyExceptionRecord } from '../../storage/policy-exceptions.ts';
import type { PolicyRecord } from '../../storage/policies.ts';
import type { Stores } from '../../storage/storage.ts';
import { isAuthority, nameOf, partyOf } from '../approval/party.ts';
import { requireEnd, type RuleDeps, same, type Tell } from '../change-rules.ts';
import { RegistryRefusal } from '../refusal.ts';
import { type HumanStores, sameHuman } from '../same-human.ts';
import { policyExceptionView } from './view.ts';

const DAY_MS = 86_400_000;
/** An exception that nobody looks at for longer is a rule. */
const LONGEST_MS = 366 * DAY_MS;

type ExceptionStores = Pick<Stores, 'policyExceptions' | 'policies'> & HumanStores;

/** The two ends of an exception. */
export interface ExceptionEnds {
  readonly policy: PolicyRecord;
  readonly identity: IdentityRecord;
}

export interface NewException {
  readonly reason: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  readonly by: Actor;
}

/**
 * Excepts an identity from a policy, on the word of a person who is not the one that answers for it. One that is over gives
 * its place up here.
 */
export async function createException(
  deps: RuleDeps,
  stores: ExceptionStores,
  tell: Tell,
  ends: ExceptionEnds,
  asked: NewException,
): Promise<PolicyExceptionRecord> {
  const now = deps.clock.now();
  const { policy, identity } = ends;
  if (policy.state === 'deleted') {
    throw new RegistryRefusal('unknown_reference', 'the policy is deleted', { pointer: '/policy' });
  }
  await requireAnotherPerson(stores, identity, asked.by);
  const expiresAt = requireExceptionEnd(now, asked.expiresAt);
  const existing = await activeOf(stores, ends);
  if (existing !== undefined && existing.expiresAt > now) {
    throw new RegistryRefusal(
      'already_exists',
      `${identity.clientId} is excepted from ${policy.name} already: end that one first`,
      { existing: existing.id },
    );
  }
  if (existing !== undefined) await end(deps, stores, tell, ends, existing, 'expired');
  const record: PolicyExceptionRecord = {
    id: newId('pex', deps.random),
    policyId: policy.id,
    identityId: identity.id,
    reason: asked.reason,
    approvedBy: nameOf(partyOf(asked.by)),
    expiresAt,
    state: 'active',
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await stores.policyExceptions.insert(record);
  tell({
    type: 'policy_exception.created',
    resource: record.id,
    reason: record.reason,
    after: policyExceptionView(record, namesOf(ends)),
  });
  return record;
}

/** As declared: made, prolonged or shortened on the word of who applies; the same record when it is so already. */
export async function changeException(
  deps: RuleDeps,
  stores: ExceptionStores,
  tell: Tell,
  ends: ExceptionEnds,
  record: PolicyExceptionRecord,
  change: { readonly reason: string; readonly expiresAt: number | undefined; readonly by: Actor },
): Promise<PolicyExceptionRecord> {
  const { reason, expiresAt = record.expiresAt } = change;
  if (same([reason, expiresAt], [record.reason, record.expiresAt])) return record;
  await requireAnotherPerson(stores, ends.identity, change.by);
  if (expiresAt !== record.expiresAt) requireExceptionEnd(deps.clock.now(), expiresAt);
  const approvedBy = nameOf(partyOf(change.by));
  const changed = { ...record, reason, expiresAt, approvedBy };
  return await replace(deps, stores, tell, ends, record, changed, 'policy_exception.updated');
}

/** From now on the policy counts again. The same record, and no event, when it has ended already. */
export async function revokeException(
  deps: RuleDeps,
  stores: Pick<Stores, 'policyExceptions' | 'policies'>,
  tell: Tell,
  ends: ExceptionEnds,
  record: PolicyExceptionRecord,
): Promise<PolicyExceptionRecord> {
  return record.state === 'active' ? await end(deps, stores, tell, ends, record, 'revoked') : record;
}

/** The one that is active of this pair, whether its end has come or not. */
export async function activeOf(
  stores: Pick<Stores, 'policyExceptions'>,
  { policy, identity }: ExceptionEnds,
): Promise<PolicyExceptionRecord | undefined> {
  const all = await stores.policyExceptions.ofIdentity(identity.id);
  return all.find(({ policyId }) => policyId === policy.id);
}

function requireExceptionEnd(now: number, expiresAt: number): number {
  if (requireEnd(now, expiresAt) <= now + LONGEST_MS) return expiresAt;
  throw new RegistryRefusal('end_out_of_range', 'an exception ends within 366 days', {
    pointer: '/expires_at',
  });
}

/** Who answers for a machine does not except it. The host's own hands are above the policies. */
async function requireAnotherPerson(
  stores: HumanStores,
  { owner }: IdentityRecord,
  by: Actor,
): Promise<void> {
  if (isAuthority(by)) return;
  if (by.person === undefined) {
    throw new RegistryRefusal('needs_people', 'this decision is made by people, not by machines');
  }
  for (const handle of [owner.person, owner.backup]) {
    if (handle === undefined) continue;
    if (await sameHuman(stores, partyOf(by), { kind: 'named', handle })) {
      throw new RegistryRefusal('self_approval', 'who answers for the identity does not except it');
    }
  }
}

async function end(
  deps: RuleDeps,
  stores: Pick<Stores, 'policyExceptions' | 'policies'>,
  tell: Tell,
  ends: ExceptionEnds,
  record: PolicyExceptionRecord,
  state: 'revoked' | 'expired',
): Promise<PolicyExceptionRecord> {
  return await replace(deps, stores, tell, ends, record, { ...record, state }, `policy_exception.${state}`);
}

async function replace(
  deps: RuleDeps,
  stores: Pick<Stores, 'policyExceptions' | 'policies'>,
  tell: Tell,
  ends: ExceptionEnds,
  before: PolicyExceptionRecord,
  after: PolicyExceptionRecord,
  type: string,
): Promise<PolicyExceptionRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.policyExceptions.replace(next);
  const names = namesOf(ends);
  tell({
    type,
    resource: before.id,
    reason: next.reason,
    before: policyExceptionView(before, names),
    after: policyExceptionView(next, names),
  });
  return next;
}

function namesOf({ policy, identity }: ExceptionEnds): { policyName: string; clientId: string } {
  return { policyName: policy.name, clientId: identity.clientId };
}
