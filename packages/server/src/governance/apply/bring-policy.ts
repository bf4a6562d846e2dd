import type { Tell } from '../../registry/change-rules.ts';
import { requireWithin } from '../../registry/own-access.ts';
import { activeOf, changeException, createException } from '../../registry/policy/exception.ts';
import { changePolicy, createPolicy } from '../../registry/policy/policy.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import type { PolicyRecord } from '../../storage/policies.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Application } from './application.ts';
import { type DeclaredPolicy, type DeclaredPolicyException, endAt, fixedEnd } from './declared.ts';
import { identityOf } from './referenced-record.ts';

/** Who may apply documents need not be who may say what is allowed. */
const WRITE = 'policies:write';
/** Of people only: who may except somebody. */
const APPROVE = 'approvals:write';

export async function bringPolicy(
  { deps, ceiling, requireAdminPerson }: Application,
  stores: Stores,
  tell: Tell,
  { name, policy }: DeclaredPolicy,
): Promise<void> {
  requireWithin(ceiling, [WRITE]);
  const record = await stores.policies.byName(name);
  if (record === undefined) {
    await createPolicy(deps, stores, tell, { name, ...policy });
    return;
  }
  if (record.rule !== policy.rule) {
    throw new RegistryRefusal('illegal_transition', `its rule is ${record.rule}, which does not change`, {
      pointer: '/rule',
    });
  }
  await changePolicy(deps, stores, tell, record, policy, requireAdminPerson);
}

export async function bringPolicyException(
  { deps, actor, ceiling, now }: Application,
  stores: Stores,
  tell: Tell,
  declared: DeclaredPolicyException,
): Promise<void> {
  const { reason, end } = declared;
  // What it fixes is over: it has nothing to say any more.
  if ('at' in end && end.at <= now) return;
  const policy = await policyOf(stores, declared.policy);
  const identity = await identityOf(stores, declared.identity);
  const ends = { policy, identity };
  const record = await activeOf(stores, ends);
  const counts = record !== undefined && record.expiresAt > now;
  const expiresAt = fixedEnd(end);
  if (counts && record.reason === reason && (expiresAt ?? record.expiresAt) === record.expiresAt) return;
  if (actor.person !== undefined) requireWithin(ceiling, [APPROVE]);
  if (counts) await changeException(deps, stores, tell, ends, record, { reason, expiresAt, by: actor });
  else await createException(deps, stores, tell, ends, { reason, expiresAt: endAt(end, now), by: actor });
}

/** The policy that a document means by an id or a name. */
export async function policyOf(stores: Pick<Stores, 'policies'>, ref: string): Promise<PolicyRecord> {
  const byName = await stores.policies.byName(ref);
  const record = byName ?? (await stores.policies.byId(ref));
  if (record?.state === 'active') return record;
  throw new RegistryRefusal('unknown_reference', `there is no policy ${ref}`, { pointer: '/policy' });
}
