import type { ApprovalRequestRecord } from '../../storage/approvals.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { RegistryRefusal } from '../refusal.ts';
import { askedAccess } from './access-request.ts';
import { accessContent, accessFacts, type Content, identityContent, identityFacts } from './content.ts';
import { type Decision } from './decide.ts';
import { approveAccess, rejectAccess, type Waiting } from './decide-access.ts';
import { approveIdentity, rejectIdentity } from './decide-identity.ts';
import type { AskedFacts } from './requirement.ts';

type Reading = Pick<Stores, 'access' | 'identities' | 'resourceServers'>;

/** What a request is about, as it is now. */
export type Subject =
  | ({ readonly kind: 'access' } & Omit<Waiting, 'request'>)
  | { readonly kind: 'identity'; readonly record: IdentityRecord };

/** Undefined when one of its ends is gone, which the database does not let happen. */
export async function subjectOf(
  stores: Reading,
  request: ApprovalRequestRecord,
): Promise<Subject | undefined> {
  const identity = await stores.identities.byId(request.identityId);
  if (identity === undefined) return undefined;
  if (request.subject === 'identity') return { kind: 'identity', record: identity };
  const record = await stores.access.byId(request.subjectId);
  const resourceServer = record && (await stores.resourceServers.byId(record.resourceServerId));
  if (record === undefined || resourceServer === undefined) return undefined;
  return { kind: 'access', record, ends: { identity, resourceServer } };
}

/** What rules look at, of what is asked for. */
export function factsOf(subject: Subject, request: ApprovalRequestRecord): AskedFacts {
  if (subject.kind === 'identity') return identityFacts(subject.record);
  return accessFacts(askedAccess(subject.record, request).scopes, subject.ends);
}

/** What is so now, in the members of what is asked for. Undefined: nothing yet. */
export function presentOf(subject: Subject): Content | undefined {
  if (subject.kind === 'identity') {
    return subject.record.state === 'requested' ? undefined : identityContent(subject.record);
  }
  const { record, ends } = subject;
  return record.state === 'active' ? accessContent(record, ends) : undefined;
}

/** Decides on whatever it is about, in the caller's transaction. */
export async function decideRequest(
  deps: RuleDeps,
  stores: Stores,
  tell: Tell,
  request: ApprovalRequestRecord,
  verdict: 'approve' | 'reject',
  decision: Decision,
): Promise<void> {
  const subject = await subjectOf(stores, request);
  if (subject === undefined) {
    throw new RegistryRefusal('illegal_transition', 'what it is about is not there any more');
  }
  if (subject.kind === 'identity') {
    const decide = verdict === 'approve' ? approveIdentity : rejectIdentity;
    await decide(deps, stores, tell, subject.record, request, decision);
  } else {
    const decide = verdict === 'approve' ? approveAccess : rejectAccess;
    await decide(deps, stores, tell, { ...subject, request }, decision);
  }
}
