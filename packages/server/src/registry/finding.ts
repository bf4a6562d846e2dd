import { newId } from '../ids.ts';
import type {
  FindingKind,
  FindingRecord,
  FindingSeverity,
  FindingState,
  FindingSubject,
} from '../storage/findings.ts';
import type { Stores } from '../storage/storage.ts';
import { requireEnd, type RuleDeps, type Tell } from './change-rules.ts';
import { RegistryRefusal } from './refusal.ts';
import { rfc3339 } from './views.ts';

/** What a detector saw, before anybody has looked whether it is known. */
export interface Observation {
  readonly subject: FindingSubject;
  readonly subjectId: string;
  readonly severity: FindingSeverity;
  readonly reason: string;
  readonly fix: string;
}

const DAY_MS = 86_400_000;
/** Nobody may look away for longer than this: an exception ends like everything else. */
const LONGEST_ACCEPTANCE_MS = 366 * DAY_MS;

type Writing = Pick<Stores, 'findings'>;

export async function openFinding(
  deps: RuleDeps,
  stores: Writing,
  tell: Tell,
  kind: FindingKind,
  about: { readonly id: string; readonly clientId: string },
  observed: Observation,
): Promise<FindingRecord> {
  const now = deps.clock.now();
  const record: FindingRecord = {
    id: newId('fnd', deps.random),
    kind,
    identityId: about.id,
    subject: observed.subject,
    subjectId: observed.subjectId,
    severity: observed.severity,
    reason: observed.reason,
    fix: observed.fix,
    state: 'open',
    acceptedBy: undefined,
    acceptedReason: undefined,
    acceptedUntil: undefined,
    lastSeenAt: now,
    resolvedAt: undefined,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await stores.findings.insert(record);
  tell({ type: 'finding.opened', resource: record.id, after: findingView(record, about.clientId) });
  return record;
}

/** The live one as it is seen now: told when it got worse or better, or when its acceptance is over; else only noted. */
export async function seeFinding(
  deps: RuleDeps,
  stores: Writing,
  tell: Tell,
  record: FindingRecord,
  clientId: string,
  observed: Observation,
): Promise<void> {
  const now = deps.clock.now();
  const lapsed = record.state === 'accepted' && (record.acceptedUntil ?? 0) <= now;
  const differs = FACTS.some((member) => record[member] !== observed[member]);
  const { severity, reason, fix } = observed;
  const seen = { ...record, severity, reason, fix, lastSeenAt: now };
  if (lapsed)
    await change(
      deps,
      stores,
      tell,
      record,
      { ...seen, ...NOT_ACCEPTED, state: 'open' },
      clientId,
      'reopened',
    );
  else if (differs) await change(deps, stores, tell, record, seen, clientId, 'updated');
  else await stores.findings.seen(record.id, now);
}

export async function resolveFinding(
  deps: RuleDeps,
  stores: Writing,
  tell: Tell,
  record: FindingRecord,
  clientId: string,
): Promise<void> {
  const resolved: FindingRecord = {
    ...record,
    ...NOT_ACCEPTED,
    state: 'resolved',
    resolvedAt: deps.clock.now(),
  };
  await change(deps, stores, tell, record, resolved, clientId, 'resolved');
}

/** Somebody answers for leaving it as it is, until `until` (epoch ms), at most a year ahead. Accepting again prolongs. */
export async function acceptFinding(
  deps: RuleDeps,
  stores: Writing,
  tell: Tell,
  record: FindingRecord,
  clientId: string,
  asked: { readonly by: string; readonly reason: string; readonly until: number },
): Promise<FindingRecord> {
  requireLive(record);
  const now = deps.clock.now();
  requireEnd(now, asked.until, '/until');
  if (asked.until > now + LONGEST_ACCEPTANCE_MS) {
    throw new RegistryRefusal('end_out_of_range', 'until is more than a year ahead', { pointer: '/until' });
  }
  const accepted: FindingRecord = {
    ...record,
    state: 'accepted',
    acceptedBy: asked.by,
    acceptedReason: asked.reason,
    acceptedUntil: asked.until,
  };
  return await change(deps, stores, tell, record, accepted, clientId, 'accepted', asked.reason);
}

/** Takes an acceptance back. The same record, and no event, when it is open. */
export async function reopenFinding(
  deps: RuleDeps,
  stores: Writing,
  tell: Tell,
  record: FindingRecord,
  clientId: string,
  reason: string | undefined,
): Promise<FindingRecord> {
  requireLive(record);
  if (record.state === 'open') return record;
  const open: FindingRecord = { ...record, ...NOT_ACCEPTED, state: 'open' };
  return await change(deps, stores, tell, record, open, clientId, 'reopened', reason);
}

const FACTS = ['severity', 'reason', 'fix'] as const;
const NOT_ACCEPTED = { acceptedBy: undefined, acceptedReason: undefined, acceptedUntil: undefined } as const;

function requireLive(record: FindingRecord): void {
  if (record.state !== 'resolved') return;
  throw new RegistryRefusal('illegal_transition', 'it is resolved: what is found again is a new finding');
}

async function change(
  deps: RuleDeps,
  stores: Writing,
  tell: Tell,
  before: FindingRecord,
  after: FindingRecord,
  clientId: string,
  verb: 'updated' | 'resolved' | 'accepted' | 'reopened',
  reason?: string,
): Promise<FindingRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.findings.replace(next);
  tell({
    type: `finding.${verb}`,
    resource: before.id,
    reason,
    before: findingView(before, clientId),
    after: findingView(next, clientId),
  });
  return next;
}

export interface FindingView {
  id: string;
  kind: FindingKind;
  identity: string;
  client_id: string;
  subject: { kind: FindingSubject; id: string };
  severity: FindingSeverity;
  reason: string;
  fix: string;
  state: FindingState;
  accepted_by: string | null;
  accepted_reason: string | null;
  accepted_until: string | null;
  first_seen: string;
  last_seen: string;
  resolved_at: string | null;
  version: number;
}

export function findingView(record: FindingRecord, clientId: string): FindingView {
  const { acceptedUntil, resolvedAt } = record;
  return {
    id: record.id,
    kind: record.kind,
    identity: record.identityId,
    client_id: clientId,
    subject: { kind: record.subject, id: record.subjectId },
    severity: record.severity,
    reason: record.reason,
    fix: record.fix,
    state: record.state,
    accepted_by: record.acceptedBy ?? null,
    accepted_reason: record.acceptedReason ?? null,
    accepted_until: acceptedUntil === undefined ? null : rfc3339(acceptedUntil),
    first_seen: rfc3339(record.createdAt),
    last_seen: rfc3339(record.lastSeenAt),
    resolved_at: resolvedAt === undefined ? null : rfc3339(resolvedAt),
    version: record.version,
  };
}
