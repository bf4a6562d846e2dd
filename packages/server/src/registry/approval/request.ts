import type { Actor } from '../../audit/change.ts';
import { contentHash } from '../../audit/content-hash.ts';
import { newId } from '../../ids.ts';
import type { ApprovalRequestRecord, Party } from '../../storage/approvals.ts';
import type { Stores } from '../../storage/storage.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { behindMachine, type HumanStores } from '../same-human.ts';
import type { Content } from './content.ts';
import { nameOf, partiesOf, partyOf } from './party.ts';
import { askedView } from './view.ts';

export interface ApprovalDeps extends RuleDeps {
  /** Milliseconds for which what is asked for waits, and an approval counts. */
  readonly approvalValidity: number;
}

export type ApprovalStores = Pick<Stores, 'approvals' | 'approvalRules'> & HumanStores;

/** What somebody asks people for. */
export interface Asked {
  readonly op: ApprovalRequestRecord['op'];
  readonly subject: ApprovalRequestRecord['subject'];
  readonly subjectId: string;
  readonly identityId: string;
  readonly resourceServerId: string | undefined;
  readonly content: Content;
  readonly sensitivity: number;
  readonly by: Actor;
}

/**
 * Lets something wait for people, in the caller's transaction. What waited about the same subject is void: its approvals
 * were of another content. Who had a hand in that one had one in this too.
 */
export async function openRequest(
  deps: ApprovalDeps,
  stores: ApprovalStores,
  tell: Tell,
  asked: Asked,
): Promise<ApprovalRequestRecord> {
  const now = deps.clock.now();
  const hash = contentHash(asked.content);
  const [earlier] = await stores.approvals.pendingOf([asked.subjectId]);
  // Asking for the same once more starts nothing anew: approvals that are there stay, and so does their end.
  if (earlier?.contentHash === hash && earlier.expiresAt > now) return earlier;
  if (earlier !== undefined) await endRequest(deps, stores, tell, earlier, 'void', 'it was edited');
  const parties = [...(earlier?.parties ?? []), ...partiesOf(asked.by)];
  // As they are now: who hands a machine over after it has asked has still asked.
  for (const party of partiesOf(asked.by)) {
    if (party.kind === 'machine') parties.push(...(await behindMachine(stores, party)));
  }
  const request: ApprovalRequestRecord = {
    id: newId('arq', deps.random),
    subject: asked.subject,
    subjectId: asked.subjectId,
    op: asked.op,
    identityId: asked.identityId,
    resourceServerId: asked.resourceServerId,
    content: asked.content,
    contentHash: hash,
    sensitivity: asked.sensitivity,
    requestedBy: nameOf(partyOf(asked.by)),
    parties: distinct(parties),
    state: 'pending',
    reason: undefined,
    expiresAt: now + deps.approvalValidity,
    decidedAt: undefined,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await stores.approvals.insert(request);
  return request;
}

/** Void: what it was about changed, or went. Lapsed: nobody decided in time. */
export async function endRequest(
  deps: RuleDeps,
  stores: Pick<Stores, 'approvals'>,
  tell: Tell,
  request: ApprovalRequestRecord,
  state: 'void' | 'lapsed',
  reason: string,
): Promise<void> {
  const now = deps.clock.now();
  const ended = { ...request, state, reason, decidedAt: now, updatedAt: now, version: request.version + 1 };
  await stores.approvals.replace(ended);
  tell({
    type: `${request.subject}.request_${state === 'void' ? 'voided' : 'lapsed'}`,
    resource: request.subjectId,
    reason,
    after: { request: askedView(request) },
  });
}

/** What waits about this subject waits for nothing any more. */
export async function voidPending(
  deps: RuleDeps,
  stores: Pick<Stores, 'approvals'>,
  tell: Tell,
  subjectId: string,
  reason: string,
): Promise<void> {
  const [pending] = await stores.approvals.pendingOf([subjectId]);
  if (pending !== undefined) await endRequest(deps, stores, tell, pending, 'void', reason);
}

function distinct(parties: readonly Party[]): readonly Party[] {
  const seen = new Map(parties.map((party) => [JSON.stringify(party), party]));
  return [...seen.values()];
}
