import type { LoggedEvent } from '../../audit/event.ts';
import type { AuditLog } from '../../audit/log.ts';
import { outsideResource } from '../../audit/outside-text.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Applied, ProposalRecord } from '../../storage/proposals.ts';
import type { Stores } from '../../storage/storage.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { FIRST_LOOK_MS } from './apply.ts';
import { changeProposal, type ProposalWriting } from './proposal.ts';

/** What is known by now of those who miss what was taken. */
export interface Missed {
  /** Refusals all in all, since it was applied. */
  readonly refusals: number;
  readonly lastAt: number | undefined;
  /** How far the log was looked through, and what it told: see `Applied`. */
  readonly watchedSeq: number;
  readonly refusedTokens: number;
}

const HOUR_MS = 3_600_000;
/** In the first day it is looked at every minute; later, or once it is known to be missed, less often. */
const CLOSELY_MS = 24 * HOUR_MS;
const LATER_LOOK_MS = 600_000;
/** Refusals that one look reads from the log; the next one goes on there. */
const MOST_EVENTS = 500;
/** Reasons of the token endpoint for which an access, or a scope of it, is not there. */
const NO_ACCESS: ReadonlySet<string | undefined> = new Set([
  'access_missing',
  'resource_unknown',
  'resource_missing',
  'scope_not_held',
]);

/** Refusals of what was taken: at the token endpoint, by the log; at the API, by its reports; of what is ending, by its callers. */
export async function missedSince(
  stores: Pick<Stores, 'usage' | 'endingCallers'>,
  log: Pick<AuditLog, 'find'>,
  record: ProposalRecord,
  applied: Applied,
  identity: IdentityRecord,
): Promise<Missed> {
  const { refusals, lastRefusedAt: lastAt } = record;
  const { watchedSeq, refusedTokens } = applied;
  if (record.kind === 'shorten') return { refusals, lastAt, watchedSeq, refusedTokens };
  if (record.kind === 'retire') {
    const callers = await stores.endingCallers.ofIdentity(identity.id);
    const seen = callers.reduce((sum, caller) => sum + caller.letThrough + caller.refused, 0);
    const last = latest(callers.map((caller) => caller.lastAt));
    return { refusals: Math.max(refusals, seen), lastAt: latest([lastAt, last]), watchedSeq, refusedTokens };
  }
  const events = await log.find(
    { identity: identity.clientId, outcome: 'refused', from: applied.at },
    { afterSeq: watchedSeq, limit: MOST_EVENTS },
  );
  const tokens = events.filter((event) => isAbout(event, record));
  const calls = record.kind === 'upgrade' ? NO_CALLS : await refusedCalls(stores, record, applied);
  const told = refusedTokens + tokens.length;
  return {
    refusals: Math.max(refusals, told + calls.count),
    lastAt: latest([lastAt, calls.lastAt, ...tokens.map(({ at }) => Date.parse(at))]),
    watchedSeq: events.at(-1)?.seq ?? watchedSeq,
    refusedTokens: told,
  };
}

function isAbout({ reason, resource, scopes_asked: asked }: LoggedEvent, record: ProposalRecord): boolean {
  if (record.kind === 'upgrade') return reason === 'credential_suspended';
  if (!NO_ACCESS.has(reason)) return false;
  const { resource: own = '' } = record;
  if (resource !== undefined && resource !== own && resource !== outsideResource(own)) return false;
  if (record.kind === 'remove') return resource !== undefined || reason === 'resource_missing';
  const taken = record.change.take ?? [];
  return asked?.split(' ').some((scope) => taken.includes(scope)) === true;
}

const NO_CALLS = { count: 0, lastAt: undefined };

/** Calls that an API refused for want of what was taken, beyond those it had refused by then. */
async function refusedCalls(
  { usage }: Pick<Stores, 'usage'>,
  { subjectId, change }: ProposalRecord,
  { at, undo }: Applied,
): Promise<{ readonly count: number; readonly lastAt: number | undefined }> {
  const taken = new Set(change.take ?? []);
  const rows = (await usage.ofAccess([subjectId])).filter(({ scope }) => taken.has(scope));
  const before = [...taken].reduce((sum, scope) => sum + (undo.denied?.[scope] ?? 0), 0);
  const count = Math.max(0, rows.reduce((sum, { denied }) => sum + denied, 0) - before);
  const since = rows.map(({ lastDeniedAt }) => lastDeniedAt).filter((last) => (last ?? 0) >= at);
  return { count, lastAt: count === 0 ? undefined : latest(since) };
}

function latest(instants: readonly (number | undefined)[]): number | undefined {
  const known = instants.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** Writes down what was seen, and settles what nobody has taken back in time. In the caller's transaction. */
export async function noteMissed(
  deps: RuleDeps,
  stores: ProposalWriting & Pick<Stores, 'approvals'>,
  tell: Tell,
  record: ProposalRecord,
  clientId: string,
  missed: Missed,
): Promise<ProposalRecord> {
  const now = deps.clock.now();
  const { applied } = record;
  if (applied === undefined) return record;
  if (record.state === 'rollback_requested') return await afterRequest(deps, stores, tell, record, clientId);
  const seen: ProposalRecord = {
    ...record,
    refusals: missed.refusals,
    lastRefusedAt: missed.lastAt,
    applied: { ...applied, watchedSeq: missed.watchedSeq, refusedTokens: missed.refusedTokens },
    nextAt: Math.min(applied.until, now + lookAfter(applied, missed, now)),
  };
  if (applied.until <= now) {
    const settled: ProposalRecord = { ...seen, state: 'settled', nextAt: undefined };
    return await changeProposal(deps, stores, tell, record, settled, clientId, 'settled');
  }
  if (missed.refusals > record.refusals)
    return await changeProposal(deps, stores, tell, record, seen, clientId, 'missed');
  // Nothing that anybody would want to read of: when to look again, and from where on.
  const next = { ...seen, updatedAt: record.updatedAt, version: record.version + 1 };
  await stores.proposals.replace(next);
  return next;
}

function lookAfter({ at }: Applied, { refusals }: Missed, now: number): number {
  if (refusals > 0) return HOUR_MS;
  return now - at < CLOSELY_MS ? FIRST_LOOK_MS : LATER_LOOK_MS;
}

/** What waits for people is given back, or it is not and goes on being watched. */
async function afterRequest(
  deps: RuleDeps,
  stores: ProposalWriting & Pick<Stores, 'approvals'>,
  tell: Tell,
  record: ProposalRecord,
  clientId: string,
): Promise<ProposalRecord> {
  const now = deps.clock.now();
  const { applied } = record;
  const request =
    applied?.approvalId === undefined ? undefined : await stores.approvals.byId(applied.approvalId);
  if (request?.state === 'pending') {
    const next = { ...record, nextAt: now + FIRST_LOOK_MS, version: record.version + 1 };
    await stores.proposals.replace(next);
    return next;
  }
  if (request?.state === 'approved') {
    const back: ProposalRecord = { ...record, state: 'rolled_back', nextAt: undefined };
    return await changeProposal(deps, stores, tell, record, back, clientId, 'rolled_back');
  }
  const left: ProposalRecord =
    applied !== undefined && applied.until > now
      ? { ...record, state: 'applied', nextAt: now + FIRST_LOOK_MS }
      : { ...record, state: 'settled', nextAt: undefined };
  const reason = `the request to give it back is ${request?.state ?? 'gone'}`;
  return await changeProposal(
    deps,
    stores,
    tell,
    record,
    left,
    clientId,
    left.state === 'applied' ? 'rollback_refused' : 'settled',
    reason,
  );
}
