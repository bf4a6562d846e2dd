import type { AccessRecord } from '../../storage/access.ts';
import type { Stores } from '../../storage/storage.ts';
import type { UsageRecord } from '../../storage/usage.ts';
import type { Span } from '../../storage/usage-coverage.ts';
import { STANDING_SCOPES } from '../stands-for.ts';
import { coverageOf, LAG_MS, type UseAnswer, useIn, type Watched } from './answer.ts';
import { type DayMap, joined, NO_DAYS } from './day-map.ts';

export interface ScopeUse {
  readonly scope: string;
  readonly answer: UseAnswer;
  /** Calls let through and refused since the first report, whatever the window. */
  readonly ok: number;
  readonly denied: number;
  /** Epoch ms, also before the window. */
  readonly lastOkAt: number | undefined;
  readonly lastDeniedAt: number | undefined;
  readonly days: DayMap;
}

/** What is known of the use of one access. */
export interface AccessUse {
  readonly answer: UseAnswer;
  readonly lastOkAt: number | undefined;
  readonly lastDeniedAt: number | undefined;
  /** What the answers are about; it begins with the access where that is younger. */
  readonly window: Span;
  /** The share of the window in which use would have been seen. */
  readonly coverage: number;
  /** Of each scope that it holds, in their order. */
  readonly scopes: readonly ScopeUse[];
  /** Seconds: how old the oldest token was that was let through, ever; undefined: not known of all those of the window. */
  readonly oldestAge: number | undefined;
}

type Reading = Pick<Stores, 'usage' | 'usageReporters' | 'coverage'>;

/**
 * How long a copy that fell silent without a goodbye counts as running and unseen. A copy that lives tells everything later;
 * one that cannot reach the authority for so long refuses tokens by default; so by then it is most likely gone.
 */
export const MISSED_FOR_MS = 3_600_000;

/** These are exercised at the authority: no resource server sees whether they are used. */
const UNSEEN: ReadonlySet<string> = new Set(Object.values(STANDING_SCOPES));

/** @param within ms before `now` */
export async function useOfAccess(
  stores: Reading,
  records: readonly AccessRecord[],
  now: number,
  within: number,
): Promise<ReadonlyMap<string, AccessUse>> {
  const rows = new Map<string, UsageRecord[]>(records.map(({ id }) => [id, []]));
  for (const row of await stores.usage.ofAccess([...rows.keys()])) rows.get(row.accessId)?.push(row);
  const window = { from: now - within, to: now };
  const watched = await watchedOf(
    stores,
    [...new Set(records.map((record) => record.resourceServerId))],
    window,
  );
  return new Map(
    records.map((record) => {
      const seen = watched.get(record.resourceServerId) ?? NOT_WATCHED;
      return [record.id, useOf(record, rows.get(record.id) ?? [], seen, now, within)];
    }),
  );
}

export const NOT_WATCHED: Watched = { seen: [], missed: [] };

/** When the copies of each resource server told what they saw; who is silent now is counted as missed. */
export async function watchedOf(
  { coverage, usageReporters }: Reading,
  resourceServerIds: readonly string[],
  window: Span,
): Promise<ReadonlyMap<string, Watched>> {
  const watched = new Map(resourceServerIds.map((id) => [id, { seen: [] as Span[], missed: [] as Span[] }]));
  for (const { resourceServerId, kind, from, to } of await coverage.spans(resourceServerIds, window)) {
    watched.get(resourceServerId)?.[kind].push({ from, to });
  }
  for (const { resourceServerId, toldUntil } of await usageReporters.silent(
    resourceServerIds,
    window.to - LAG_MS,
  )) {
    const to = Math.min(window.to, toldUntil + MISSED_FOR_MS);
    watched.get(resourceServerId)?.missed.push({ from: toldUntil, to });
  }
  return watched;
}

function useOf(
  record: AccessRecord,
  rows: readonly UsageRecord[],
  watched: Watched,
  now: number,
  within: number,
): AccessUse {
  const begun = record.approvedAt ?? record.createdAt;
  const window = { from: Math.max(now - within, begun), to: now };
  // Clocks of verifiers are coarse and not ours; nothing was used before it was there.
  const answerTo = (lastOkAt: number | undefined): UseAnswer =>
    useIn(window, lastOkAt && Math.max(lastOkAt, begun), watched);
  const scopes = record.scopes.map((scope): ScopeUse => {
    const own = rows.filter((row) => row.scope === scope);
    const lastOkAt = latest(own.map((row) => row.lastOkAt));
    const answer = answerTo(lastOkAt);
    return {
      scope,
      answer: answer === 'unused' && UNSEEN.has(scope) ? 'unknown' : answer,
      ok: own.reduce((sum, row) => sum + row.ok, 0),
      denied: own.reduce((sum, row) => sum + row.denied, 0),
      lastOkAt,
      lastDeniedAt: latest(own.map((row) => row.lastDeniedAt)),
      days: own.reduce((days, row) => joined(row.days, days), NO_DAYS),
    };
  });
  const lastOkAt = latest(rows.map((row) => row.lastOkAt));
  const answer = answerTo(lastOkAt);
  return {
    answer: answer === 'unused' && scopes.some((scope) => scope.answer === 'unknown') ? 'unknown' : answer,
    lastOkAt,
    lastDeniedAt: latest(rows.map((row) => row.lastDeniedAt)),
    window,
    coverage: coverageOf(window, watched),
    scopes,
    oldestAge: oldestAgeOf(rows, window),
  };
}

function latest(instants: readonly (number | undefined)[]): number | undefined {
  const known = instants.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function oldestAgeOf(rows: readonly UsageRecord[], { from }: Span): number | undefined {
  if (rows.some(({ unagedAt }) => (unagedAt ?? 0) >= from)) return undefined;
  return latest(rows.map(({ oldestAge }) => oldestAge));
}
