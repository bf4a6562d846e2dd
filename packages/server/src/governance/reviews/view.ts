import { rfc3339 } from '../../registry/views.ts';
import type { Environment, IdentityKind } from '../../storage/identities.ts';
import type { ReviewItemRecord } from '../../storage/review-items.ts';
import type { ReviewQuery, ReviewRecord } from '../../storage/reviews.ts';

/** A campaign as answers and events show it. */
export interface ReviewView {
  id: string;
  name: string;
  query: QueryView;
  reviewers: string[];
  fallback: string;
  not_owner: boolean;
  state: ReviewRecord['state'];
  state_reason: string | null;
  opens_at: string | null;
  due_at: string;
  silence_at: string;
  reminders: string[];
  on_silence: ReviewRecord['onSilence'];
  tokens: ReviewRecord['tokens'];
  use_within: string;
  repeat_every: string | null;
  items: number;
  created_by: string;
  started_at: string | null;
  ended_at: string | null;
  created_at: string;
  updated_at: string;
  version: number;
}

interface QueryView {
  resource_server?: string;
  scope?: string;
  environments?: Environment[];
  kinds?: IdentityKind[];
  min_sensitivity?: number;
  team?: string;
  owner?: string;
  not_used_for?: string;
}

export function reviewView(record: ReviewRecord): ReviewView {
  return {
    id: record.id,
    name: record.name,
    query: queryView(record.query),
    reviewers: [...record.reviewers],
    fallback: record.fallback,
    not_owner: record.notOwner,
    state: record.state,
    state_reason: record.stateReason ?? null,
    opens_at: instantOf(record.opensAt),
    due_at: rfc3339(record.dueAt),
    silence_at: rfc3339(record.silenceAt),
    reminders: record.reminders.map(spanText),
    on_silence: record.onSilence,
    tokens: record.tokens,
    use_within: spanText(record.useWithinMs),
    repeat_every: record.repeatEveryMs === undefined ? null : spanText(record.repeatEveryMs),
    items: record.items,
    created_by: record.createdBy,
    started_at: instantOf(record.startedAt),
    ended_at: instantOf(record.endedAt),
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

function queryView(query: ReviewQuery): QueryView {
  const { resourceServerId, scope, environments, kinds, minSensitivity, team, owner, notUsedForMs } = query;
  return {
    ...(resourceServerId === undefined ? {} : { resource_server: resourceServerId }),
    ...(scope === undefined ? {} : { scope }),
    ...(environments === undefined ? {} : { environments: [...environments] }),
    ...(kinds === undefined ? {} : { kinds: [...kinds] }),
    ...(minSensitivity === undefined ? {} : { min_sensitivity: minSensitivity }),
    ...(team === undefined ? {} : { team }),
    ...(owner === undefined ? {} : { owner }),
    ...(notUsedForMs === undefined ? {} : { not_used_for: spanText(notUsedForMs) }),
  };
}

/** An item as events show it: what was decided, and what came of it. */
export interface ToldItem {
  review: string;
  access: string;
  access_version: number;
  reviewer: string;
  fallback: string;
  state: ReviewItemRecord['state'];
  verdict: ReviewItemRecord['verdict'] | null;
  remediation: ReviewItemRecord['remediation'];
  remediation_reason: string | null;
  cutoff: string | null;
  effective_at: string | null;
}

export function toldItem(record: ReviewItemRecord): ToldItem {
  return {
    review: record.reviewId,
    access: record.accessId,
    access_version: record.accessVersion,
    reviewer: record.reviewer,
    fallback: record.fallback,
    state: record.state,
    verdict: record.verdict ?? null,
    remediation: record.remediation,
    remediation_reason: record.remediationReason ?? null,
    cutoff: record.cutoffId ?? null,
    effective_at: instantOf(record.effectiveAt),
  };
}

export function instantOf(at: number | undefined): string | null {
  return at === undefined ? null : rfc3339(at);
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
];

/** Milliseconds as the contract writes spans. */
export function spanText(ms: number): string {
  const [unit, length] = UNITS.find(([, each]) => ms % each === 0) ?? ['s', 1000];
  return `${Math.round(ms / length)}${unit}`;
}

const SPAN_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds of a span such as `90d`, whose form the contract has checked. */
export function spanMs(text: string): number {
  return Number(text.slice(0, -1)) * (SPAN_MS[text.slice(-1)] ?? Number.NaN);
}
