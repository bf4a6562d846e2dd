import { newId } from '../../ids.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { ProposalRecord } from '../../storage/proposals.ts';
import type { Stores } from '../../storage/storage.ts';
import { requireEnd, type RuleDeps, same, type Tell } from '../change-rules.ts';
import { RegistryRefusal } from '../refusal.ts';
import type { Verdict } from './verdict.ts';
import { proposalView } from './view.ts';

const DAY_MS = 86_400_000;
/** Nobody may look away for longer than this: an exception ends like everything else. */
const LONGEST_DISMISSAL_MS = 366 * DAY_MS;
/** A proposal that stays as it is shows a basis that is at most so old. */
const BASIS_KEPT_MS = 6 * DAY_MS;

export type ProposalWriting = Pick<Stores, 'proposals'>;
type Whose = Pick<IdentityRecord, 'id' | 'clientId'>;

/** Brings the stored proposals of one identity to what is proposed now. What was applied is watch.ts's business. */
export async function bringProposals(
  deps: RuleDeps,
  stores: ProposalWriting,
  tell: Tell,
  identity: Whose,
  verdicts: readonly Verdict[],
  live: readonly ProposalRecord[],
): Promise<void> {
  const proposed = verdicts.filter(isProposed);
  for (const record of live) {
    if (record.state !== 'open' && record.state !== 'dismissed') continue;
    const still = proposed.find((each) => isOf(each, record));
    if (still === undefined) await withdraw(deps, stores, tell, record, identity, whyNot(verdicts, record));
    else await seeAgain(deps, stores, tell, record, identity, still);
  }
  for (const verdict of proposed) {
    // While something of it is being watched nothing more is taken from it.
    if (
      !live.some(
        ({ subjectId, kind, state }) =>
          subjectId === verdict.subjectId && (kind === verdict.kind || isWatched(state)),
      )
    )
      await open(deps, stores, tell, identity, verdict);
  }
}

/** Whether there is anything to do for `bringProposals`: most rounds find nothing new. */
export function hasNews(verdicts: readonly Verdict[], live: readonly ProposalRecord[], now: number): boolean {
  const proposed = verdicts.filter(isProposed);
  const unknown = proposed.some(
    ({ subjectId, kind }) =>
      !live.some((each) => each.subjectId === subjectId && (each.kind === kind || isWatched(each.state))),
  );
  return (
    unknown ||
    live.some((record) => {
      if (record.state !== 'open' && record.state !== 'dismissed') return false;
      const still = proposed.find((each) => isOf(each, record));
      return still === undefined || isNews(record, still, now);
    })
  );
}

type Proposed = Verdict & { readonly kind: ProposalRecord['kind']; readonly basis: ProposalRecord['basis'] };

function isProposed(verdict: Verdict): verdict is Proposed {
  return verdict.answer === 'propose' && verdict.kind !== undefined && verdict.basis !== undefined;
}

function isOf(verdict: Verdict, { kind, subjectId }: ProposalRecord): boolean {
  return verdict.kind === kind && verdict.subjectId === subjectId;
}

function isWatched(state: ProposalRecord['state']): boolean {
  return state === 'applied' || state === 'rollback_requested';
}

/** Why it is not proposed any more, as far as anything is said of its subject. */
function whyNot(verdicts: readonly Verdict[], { subjectId }: ProposalRecord): string {
  return verdicts.find((each) => each.subjectId === subjectId)?.reason ?? 'it is not there any more';
}

async function open(
  deps: RuleDeps,
  { proposals }: ProposalWriting,
  tell: Tell,
  identity: Whose,
  { kind, subject, subjectId, resource, reason, change, basis }: Proposed,
): Promise<void> {
  const now = deps.clock.now();
  const record: ProposalRecord = {
    id: newId('prp', deps.random),
    kind,
    identityId: identity.id,
    subject,
    subjectId,
    state: 'open',
    reason,
    resource,
    change,
    basis,
    ...NOT_DISMISSED,
    applied: undefined,
    refusals: 0,
    lastRefusedAt: undefined,
    nextAt: undefined,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await proposals.insert(record);
  tell({
    type: 'proposal.opened',
    resource: record.id,
    reason,
    after: proposalView(record, identity.clientId),
  });
}

function isNews(record: ProposalRecord, { change, basis }: Proposed, now: number): boolean {
  if (record.state === 'dismissed') return (record.dismissedUntil ?? 0) <= now;
  return !same(record.change, change) || basis.window.to - record.basis.window.to >= BASIS_KEPT_MS;
}

async function seeAgain(
  deps: RuleDeps,
  stores: ProposalWriting,
  tell: Tell,
  record: ProposalRecord,
  identity: Whose,
  verdict: Proposed,
): Promise<void> {
  if (!isNews(record, verdict, deps.clock.now())) return;
  const { reason, change, basis } = verdict;
  const reopens = record.state === 'dismissed';
  const seen: ProposalRecord = {
    ...record,
    ...NOT_DISMISSED,
    state: 'open',
    nextAt: undefined,
    reason,
    change,
    basis,
  };
  await changeProposal(deps, stores, tell, record, seen, identity.clientId, reopens ? 'reopened' : 'updated');
}

async function withdraw(
  deps: RuleDeps,
  stores: ProposalWriting,
  tell: Tell,
  record: ProposalRecord,
  { clientId }: Whose,
  reason: string,
): Promise<void> {
  const gone: ProposalRecord = { ...record, state: 'withdrawn', nextAt: undefined };
  await changeProposal(deps, stores, tell, record, gone, clientId, 'withdrawn', reason);
}

/** Somebody answers for leaving it as it is, until `until` (epoch ms), at most a year ahead. Dismissing again prolongs. */
export async function dismissProposal(
  deps: RuleDeps,
  stores: ProposalWriting,
  tell: Tell,
  record: ProposalRecord,
  clientId: string,
  asked: { readonly by: string; readonly reason: string; readonly until: number },
): Promise<ProposalRecord> {
  requireUndecided(record);
  const now = deps.clock.now();
  requireEnd(now, asked.until, '/until');
  if (asked.until > now + LONGEST_DISMISSAL_MS) {
    throw new RegistryRefusal('end_out_of_range', 'until is more than a year ahead', { pointer: '/until' });
  }
  const dismissed: ProposalRecord = {
    ...record,
    state: 'dismissed',
    dismissedBy: asked.by,
    dismissedReason: asked.reason,
    dismissedUntil: asked.until,
  };
  return await changeProposal(deps, stores, tell, record, dismissed, clientId, 'dismissed', asked.reason);
}

export const NOT_DISMISSED = {
  dismissedBy: undefined,
  dismissedReason: undefined,
  dismissedUntil: undefined,
} as const;

/** It was neither carried out nor overtaken. */
export function requireUndecided({ state }: ProposalRecord): void {
  if (state === 'open' || state === 'dismissed') return;
  throw new RegistryRefusal('illegal_transition', `it is ${state}: what is proposed again is a new proposal`);
}

export async function changeProposal(
  deps: RuleDeps,
  { proposals }: ProposalWriting,
  tell: Tell,
  before: ProposalRecord,
  after: ProposalRecord,
  clientId: string,
  verb: string,
  reason?: string,
): Promise<ProposalRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await proposals.replace(next);
  tell({
    type: `proposal.${verb}`,
    resource: before.id,
    reason,
    before: proposalView(before, clientId),
    after: proposalView(next, clientId),
  });
  return next;
}
