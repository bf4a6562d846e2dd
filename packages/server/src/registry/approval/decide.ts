import type { Actor } from '../../audit/change.ts';
import type { ApprovalDecisionRecord, ApprovalRequestRecord, Party } from '../../storage/approvals.ts';
import type { RuleDeps } from '../change-rules.ts';
import { RegistryRefusal } from '../refusal.ts';
import { type HumanStores, sameHuman } from '../same-human.ts';
import {
  type AskedFacts,
  type Decider,
  isAsked,
  isAwaited,
  isComplete,
  progressOf,
  type Requirement,
  standingRequirements,
  type StepProgress,
} from './requirement.ts';
import type { ApprovalStores } from './request.ts';

/** A person who signed in, and what they say. */
export interface Decision {
  readonly person: Decider & Extract<Party, { kind: 'person' }>;
  readonly actor: Actor;
  readonly contentHash: string;
  readonly comment: string | undefined;
}

export interface Decided {
  readonly request: ApprovalRequestRecord;
  /** All of this request, this one last. */
  readonly decisions: readonly ApprovalDecisionRecord[];
  readonly progress: readonly StepProgress[];
}

/** Highest sensitivity, from which on nobody approves without a word. */
const COMMENTED = 3;

/**
 * Notes an approval in the caller's transaction. The request is `approved` when this was the last that was missing; what
 * it asks for is then the caller's to carry out, in the same transaction.
 * @throws RegistryRefusal when it waits no longer, was not what was read, or this person may not approve it
 */
export async function approve(
  deps: RuleDeps,
  stores: ApprovalStores,
  request: ApprovalRequestRecord,
  facts: AskedFacts,
  decision: Decision,
): Promise<Decided> {
  requireSame(deps, request, decision);
  const requirements = standingRequirements(await stores.approvalRules.active(), facts);
  const earlier = await stores.approvals.decisionsOf([request.id]);
  const fault = await faultOf(stores, request, requirements, earlier, decision.person);
  if (fault !== undefined) throw fault;
  if (!isAwaited(progressOf(requirements, earlier), decision.person)) throw notAsked(requirements);
  if (request.sensitivity >= COMMENTED && decision.comment === undefined) {
    throw new RegistryRefusal('comment_missing', 'sensitivity 3 is approved with a comment', {
      pointer: '/comment',
    });
  }
  const decisions = [...earlier, recordOf(deps, request, decision, 'approve')];
  const progress = progressOf(requirements, decisions);
  const state = isComplete(progress) ? 'approved' : 'pending';
  return await note(deps, stores, request, decisions, progress, state, undefined);
}

/** One person who is asked says no, and it is no. Also to what one asked for oneself. */
export async function reject(
  deps: RuleDeps,
  stores: ApprovalStores,
  request: ApprovalRequestRecord,
  facts: AskedFacts,
  decision: Decision,
): Promise<Decided> {
  requireSame(deps, request, decision);
  const requirements = standingRequirements(await stores.approvalRules.active(), facts);
  const earlier = await stores.approvals.decisionsOf([request.id]);
  if (hasDecided(earlier, decision.person)) throw decidedAlready();
  if (!isAsked(requirements, decision.person)) throw notAsked(requirements);
  const decisions = [...earlier, recordOf(deps, request, decision, 'reject')];
  const progress = progressOf(requirements, decisions);
  return await note(deps, stores, request, decisions, progress, 'rejected', decision.comment);
}

/** Whether an approval of this person would be taken now, and carry it further: what an inbox shows. */
export async function mayApprove(
  { clock }: Pick<RuleDeps, 'clock'>,
  stores: ApprovalStores,
  request: ApprovalRequestRecord,
  facts: AskedFacts,
  person: Decision['person'],
): Promise<boolean> {
  if (request.state !== 'pending' || request.expiresAt <= clock.now()) return false;
  const requirements = standingRequirements(await stores.approvalRules.active(), facts);
  const earlier = await stores.approvals.decisionsOf([request.id]);
  if (!isAwaited(progressOf(requirements, earlier), person)) return false;
  return (await faultOf(stores, request, requirements, earlier, person)) === undefined;
}

/** How far it is, by the rules of now. */
export async function readProgress(
  stores: Pick<ApprovalStores, 'approvals' | 'approvalRules'>,
  request: ApprovalRequestRecord,
  facts: AskedFacts,
): Promise<Decided> {
  const requirements = standingRequirements(await stores.approvalRules.active(), facts);
  const decisions = await stores.approvals.decisionsOf([request.id]);
  return { request, decisions, progress: progressOf(requirements, decisions) };
}

/** The version of the request counts each word about it: of two at one moment the second finds the first. */
async function note(
  deps: RuleDeps,
  stores: ApprovalStores,
  request: ApprovalRequestRecord,
  decisions: readonly ApprovalDecisionRecord[],
  progress: readonly StepProgress[],
  state: 'pending' | 'approved' | 'rejected',
  reason: string | undefined,
): Promise<Decided> {
  const now = deps.clock.now();
  const next: ApprovalRequestRecord = {
    ...request,
    state,
    reason,
    decidedAt: state === 'pending' ? undefined : now,
    updatedAt: now,
    version: request.version + 1,
  };
  await stores.approvals.replace(next);
  await stores.approvals.decide(decisions.at(-1) as ApprovalDecisionRecord);
  return { request: next, decisions, progress };
}

function recordOf(
  deps: RuleDeps,
  request: ApprovalRequestRecord,
  { person, comment }: Decision,
  decision: ApprovalDecisionRecord['decision'],
): ApprovalDecisionRecord {
  return {
    requestId: request.id,
    issuer: person.issuer,
    subject: person.subject,
    handle: person.handle,
    email: person.email,
    roles: [...person.roles],
    teams: [...person.teams],
    decision,
    comment,
    contentHash: request.contentHash,
    at: deps.clock.now(),
  };
}

function requireSame({ clock }: RuleDeps, request: ApprovalRequestRecord, decision: Decision): void {
  if (request.state !== 'pending') {
    throw new RegistryRefusal('illegal_transition', `what was asked for is ${request.state} already`);
  }
  if (request.expiresAt <= clock.now()) {
    throw new RegistryRefusal('illegal_transition', 'nobody decided in time: it has to be asked for again');
  }
  if (request.contentHash !== decision.contentHash) {
    throw new RegistryRefusal('content_changed', 'it was edited since it was read: read it again', {
      pointer: '/content_hash',
    });
  }
}

/** Nobody approves what they asked for themselves, nor twice, by whatever path. */
async function faultOf(
  stores: HumanStores,
  request: ApprovalRequestRecord,
  requirements: readonly Requirement[],
  earlier: readonly ApprovalDecisionRecord[],
  person: Decision['person'],
): Promise<RegistryRefusal | undefined> {
  for (const party of request.parties) {
    if (await sameHuman(stores, person, party)) return selfApproval();
  }
  if (requirements.some(({ ownerMayApprove }) => !ownerMayApprove)) {
    const identity = await stores.identities.byId(request.identityId);
    const owned: Party | undefined = identity && { kind: 'machine', clientId: identity.clientId };
    if (owned !== undefined && (await sameHuman(stores, person, owned))) {
      return new RegistryRefusal('self_approval', 'a rule wants it approved by others than the owner');
    }
  }
  if (hasDecided(earlier, person)) return decidedAlready();
  for (const { issuer, subject, handle, email } of earlier) {
    if (await sameHuman(stores, person, { kind: 'person', issuer, subject, handle, email })) {
      return new RegistryRefusal(
        'illegal_transition',
        'the same human decided already, signed in as another',
      );
    }
  }
  return undefined;
}

function hasDecided(earlier: readonly ApprovalDecisionRecord[], person: Decision['person']): boolean {
  return earlier.some(({ issuer, subject }) => issuer === person.issuer && subject === person.subject);
}

function selfApproval(): RegistryRefusal {
  return new RegistryRefusal(
    'self_approval',
    'whoever asked for it, or stands behind who did, does not approve it',
  );
}

function decidedAlready(): RegistryRefusal {
  return new RegistryRefusal('illegal_transition', 'you have decided already');
}

function notAsked(requirements: readonly Requirement[]): RegistryRefusal {
  const rules = requirements.map(({ rule }) => rule).join(', ');
  return new RegistryRefusal('not_an_approver', `the rules ${rules} ask others, or have enough of these`);
}
