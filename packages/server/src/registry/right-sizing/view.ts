import type { ProposalBasis, ProposalRecord, ProposedChange } from '../../storage/proposals.ts';
import type { UseAnswer } from '../use/answer.ts';
import { rfc3339 } from '../views.ts';
import type { Verdict } from './verdict.ts';

export interface BasisView {
  window: { from: string; to: string };
  cadence: string;
  last_used: string | null;
  ok: number;
  denied: number;
  scopes: {
    scope: string;
    state: UseAnswer;
    ok: number;
    denied: number;
    last_used: string | null;
    days: number;
  }[];
  seen_by: { resource_server: string | null; coverage: number }[];
}

export interface ChangeView {
  keep?: string[];
  take?: string[];
  token_lifetime?: { from: number; to: number };
  in_favour_of?: string;
}

export interface ProposalView {
  id: string;
  kind: ProposalRecord['kind'];
  identity: string;
  client_id: string;
  subject: { kind: ProposalRecord['subject']; id: string };
  resource: string | null;
  state: ProposalRecord['state'];
  reason: string;
  change: ChangeView;
  basis: BasisView;
  fix: string;
  dismissed_by: string | null;
  dismissed_reason: string | null;
  dismissed_until: string | null;
  applied_by: string | null;
  applied_at: string | null;
  rollback_until: string | null;
  refusals: number;
  last_refused: string | null;
  approval: string | null;
  created_at: string;
  updated_at: string;
  version: number;
}

export function proposalView(record: ProposalRecord, clientId: string): ProposalView {
  const { applied } = record;
  return {
    id: record.id,
    kind: record.kind,
    identity: record.identityId,
    client_id: clientId,
    subject: { kind: record.subject, id: record.subjectId },
    resource: record.resource ?? null,
    state: record.state,
    reason: record.reason,
    change: changeView(record.change),
    basis: basisView(record.basis),
    fix: `countersign proposals ${applied === undefined ? 'apply' : 'rollback'} ${record.id}`,
    dismissed_by: record.dismissedBy ?? null,
    dismissed_reason: record.dismissedReason ?? null,
    dismissed_until: instantOf(record.dismissedUntil),
    applied_by: applied === undefined ? null : (applied.by.person?.handle ?? applied.by.identity),
    applied_at: instantOf(applied?.at),
    rollback_until: instantOf(applied?.until),
    refusals: record.refusals,
    last_refused: instantOf(record.lastRefusedAt),
    approval: applied?.approvalId ?? null,
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

export interface VerdictView {
  subject: { kind: Verdict['subject']; id: string };
  resource: string | null;
  verdict: Verdict['answer'];
  kind: ProposalRecord['kind'] | null;
  reason: string;
  change: ChangeView;
  basis: BasisView | null;
}

export function verdictView(verdict: Verdict): VerdictView {
  return {
    subject: { kind: verdict.subject, id: verdict.subjectId },
    resource: verdict.resource ?? null,
    verdict: verdict.answer,
    kind: verdict.kind ?? null,
    reason: verdict.reason,
    change: changeView(verdict.change),
    basis: verdict.basis === undefined ? null : basisView(verdict.basis),
  };
}

function changeView({ keep, take, tokenLifetime, inFavourOf }: ProposedChange): ChangeView {
  return {
    ...(keep === undefined ? {} : { keep: [...keep] }),
    ...(take === undefined ? {} : { take: [...take] }),
    ...(tokenLifetime === undefined ? {} : { token_lifetime: { ...tokenLifetime } }),
    ...(inFavourOf === undefined ? {} : { in_favour_of: inFavourOf }),
  };
}

function basisView({ window, cadence, lastUsedAt, ok, denied, scopes, seenBy }: ProposalBasis): BasisView {
  return {
    window: { from: rfc3339(window.from), to: rfc3339(window.to) },
    cadence,
    last_used: instantOf(lastUsedAt),
    ok,
    denied,
    scopes: scopes.map((each) => ({
      scope: each.scope,
      state: each.answer,
      ok: each.ok,
      denied: each.denied,
      last_used: instantOf(each.lastUsedAt),
      days: each.days,
    })),
    seen_by: seenBy.map(({ resourceServer, coverage }) => ({
      resource_server: resourceServer ?? null,
      coverage,
    })),
  };
}

function instantOf(at: number | undefined): string | null {
  return at === undefined ? null : rfc3339(at);
}
