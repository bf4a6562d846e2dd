import type { AccessRecord } from '../../storage/access.ts';
import type { ApprovalRequestRecord } from '../../storage/approvals.ts';
import type { IdentityState } from '../../storage/identities.ts';
import { replaceAccess } from '../access.ts';
import type { AccessEnds } from '../access-ends.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { hasEnded } from '../identity.ts';
import { type PolicyStores, requirePolicies } from '../policy/require-policies.ts';
import { RegistryRefusal } from '../refusal.ts';
import { accessView } from '../views.ts';
import { askedAccess } from './access-request.ts';
import { accessFacts } from './content.ts';
import { approve, type Decision, reject } from './decide.ts';
import type { ApprovalStores } from './request.ts';
import { toldOf } from './told.ts';

type DecideStores = ApprovalStores & PolicyStores;

/** An access with what waits about it. */
export interface Waiting {
  readonly ends: AccessEnds;
  readonly record: AccessRecord;
  readonly request: ApprovalRequestRecord;
}

/** Notes the approval; when it was the last that was missing, what was asked for is so in the same transaction. */
export async function approveAccess(
  deps: RuleDeps,
  stores: DecideStores,
  tell: Tell,
  { ends, record, request }: Waiting,
  decision: Decision,
): Promise<AccessRecord> {
  const asked = askedAccess(record, request);
  requireOpen(deps, ends, record, asked);
  const decided = await approve(deps, stores, request, accessFacts(asked.scopes, ends), decision);
  if (decided.request.state === 'pending') {
    tell({
      type: 'access.approval_given',
      resource: record.id,
      reason: decision.comment,
      after: { request: toldOf(decided) },
    });
    return record;
  }
  const people = decided.decisions.map(({ handle }) => handle);
  const next: AccessRecord = {
    ...asked,
    state: 'active',
    approvedBy: people.join(', '),
    approvedAt: deps.clock.now(),
    approvalId: request.id,
  };
  // It may have waited while a policy came.
  await requirePolicies(deps, stores, tell, ends.identity, {
    access: {
      before: record.state === 'active' ? record : undefined,
      after: next,
      resourceServer: ends.resourceServer,
    },
  });
  const shown = { request: toldOf(decided) };
  return await replaceAccess(
    deps,
    stores,
    tell,
    ends,
    record,
    next,
    'access.approved',
    shown,
    decision.comment,
  );
}

/** What was asked for at the beginning is rejected for good; what was to change stays as it is. */
export async function rejectAccess(
  deps: RuleDeps,
  stores: DecideStores,
  tell: Tell,
  { ends, record, request }: Waiting,
  decision: Decision,
): Promise<AccessRecord> {
  const asked = askedAccess(record, request);
  const decided = await reject(deps, stores, request, accessFacts(asked.scopes, ends), decision);
  const shown = { request: toldOf(decided) };
  if (request.op === 'change') {
    const view = accessView(record, ends.identity.clientId, ends.resourceServer.identifier);
    tell({
      type: 'access.change_rejected',
      resource: record.id,
      reason: decision.comment,
      before: view,
      after: { ...view, ...shown },
    });
    return record;
  }
  const next: AccessRecord = { ...record, state: 'rejected', approvalId: request.id };
  return await replaceAccess(
    deps,
    stores,
    tell,
    ends,
    record,
    next,
    'access.rejected',
    shown,
    decision.comment,
  );
}

/** What is gone, stopped or over gets nothing: not by an approval either. */
function requireOpen(
  { clock }: RuleDeps,
  { identity, resourceServer }: AccessEnds,
  record: AccessRecord,
  asked: AccessRecord,
): void {
  const now = clock.now();
  const refuse = (why: string): RegistryRefusal => new RegistryRefusal('illegal_transition', why);
  if (record.state !== 'requested' && record.state !== 'active')
    throw refuse(`the access is ${record.state}`);
  if (hasEnded(identity) || STOPPED.has(identity.state)) throw refuse(`the identity is ${identity.state}`);
  if (identity.expiresAt <= now) throw refuse('the identity has expired');
  if (resourceServer.state !== 'active') throw refuse('the resource server is deleted');
  if (asked.expiresAt <= now) throw refuse('what is asked for would be over already');
  if (record.state === 'active' && record.expiresAt <= now) throw refuse('the access is over');
  const defined = new Set(resourceServer.scopes.map(({ name }) => name));
  const gone = asked.scopes.filter((scope) => !defined.has(scope));
  if (gone.length > 0)
    throw refuse(`the resource server has no scope ${gone.slice(0, 5).join(', ')} any more`);
}

const STOPPED: ReadonlySet<IdentityState> = new Set(['suspended', 'decommissioning']);
