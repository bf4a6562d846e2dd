import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import type { ScopeRoute } from '../../storage/scope-routes.ts';
import type { Stores } from '../../storage/storage.ts';
import type { UsageRecord } from '../../storage/usage.ts';
import type { ReporterRecord } from '../../storage/usage-reporters.ts';
import type { Tell } from '../change-rules.ts';
import { RegistryRefusal } from '../refusal.ts';
import { dayOf, NO_DAYS, withDay } from './day-map.ts';
import { advance } from './progress.ts';
import { countUnregistered, type UnregisteredRow } from './unregistered.ts';

/** What one copy of a resource server saw between two instants (epoch ms). */
export interface UsageReport {
  readonly resourceServer: ResourceServerRecord;
  readonly instance: string;
  /** Names one start of the instance; `seq` counts its reports from 1 on. */
  readonly boot: string;
  readonly seq: number;
  readonly from: number;
  readonly to: number;
  /** More rows of the same span follow under the next number. */
  readonly more: boolean;
  /** There were calls of which nothing else is known. */
  readonly blind: boolean;
  /** Nothing follows. */
  readonly final: boolean;
  readonly rows: readonly UsageRow[];
  /** Of callers with tokens of others. */
  readonly others: readonly UnregisteredRow[];
  /** What its scopes open, as far as it was not told before. */
  readonly routes: readonly ScopeRoute[];
  /** The identity that tells it. */
  readonly reporterId: string;
}

export interface UsageRow {
  readonly accessId: string;
  readonly credentialId: string;
  /** What the guard required; undefined: nothing. */
  readonly scope: string | undefined;
  readonly ok: number;
  readonly denied: number;
  /** Seconds: of the oldest token that was let through; undefined: not told. */
  readonly age?: number | undefined;
}

type Writing = Pick<Stores, 'usage' | 'usageReporters' | 'coverage' | 'scopeRoutes' | 'unregisteredCallers'>;

/** A clock may be ahead of ours by so much. */
const AHEAD_MS = 300_000;
/** Older reports are refused: who told what is forgotten a day later, and then nothing could tell a second copy of one. */
export const OLDEST_REPORT_MS: number = 7 * 86_400_000;
export const REPORTER_KEPT_MS: number = 8 * 86_400_000;
/** Starts that are known at once, of one resource server. */
const MOST_REPORTERS = 10_000;
/** Routes that are known of one resource server. */
const MOST_ROUTES = 2000;
/** Spans that are nearer than this are one: nobody notices a restart of a minute. */
export const GAP_MS: number = 60_000;

/**
 * Counts a report, once however often it comes, and notes which time it tells of. False: it was counted before.
 * @throws RegistryRefusal `end_out_of_range` for a time that cannot be told of any more, or yet; `limit_reached`
 */
export async function takeReport(
  now: number,
  stores: Writing,
  tell: Tell,
  report: UsageReport,
): Promise<boolean> {
  requireTime(now, report);
  const { resourceServer, instance, boot } = report;
  await stores.usageReporters.lock(resourceServer.id);
  const known = await stores.usageReporters.find({ resourceServerId: resourceServer.id, instance, boot });
  if (known === undefined) await requireRoom(stores, resourceServer.id);
  const { seq, to, more, blind, final } = report;
  const from = Math.max(report.from, now - OLDEST_REPORT_MS, resourceServer.createdAt);
  const taken = advance(known, { seq, from: Math.min(from, to), to, more, blind, final });
  if (taken === undefined) return false;
  await countRows(stores, report, Math.min(to, now));
  await tellRoutes(stores, report, now);
  for (const { kind, span } of taken.told) await stores.coverage.add(resourceServer.id, kind, span, GAP_MS);
  const next: ReporterRecord = {
    resourceServerId: resourceServer.id,
    instance,
    boot,
    identityId: report.reporterId,
    ...taken.progress,
    receivedAt: now,
    createdAt: known?.createdAt ?? now,
  };
  await stores.usageReporters.put(next);
  if (known === undefined)
    tell({ type: 'usage.reporting_began', resource: resourceServer.id, after: { instance, boot } });
  return true;
}

function requireTime(now: number, { from, to }: UsageReport): void {
  const refuse = (message: string, pointer: string): RegistryRefusal =>
    new RegistryRefusal('end_out_of_range', message, { pointer });
  if (from > to) throw refuse('from is after to', '/from');
  if (to > now + AHEAD_MS) throw refuse('to is in the future: set the clock', '/to');
  if (to < now - OLDEST_REPORT_MS) throw refuse('to is more than 7 days ago', '/to');
}

async function requireRoom({ usageReporters }: Writing, resourceServerId: string): Promise<void> {
  if ((await usageReporters.count(resourceServerId)) < MOST_REPORTERS) return;
  throw new RegistryRefusal(
    'limit_reached',
    `more than ${MOST_REPORTERS} starts in 8 days are not kept apart`,
  );
}

/** Scopes that the API does not define open nothing. */
async function tellRoutes(
  { scopeRoutes }: Writing,
  { resourceServer, routes }: UsageReport,
  now: number,
): Promise<void> {
  const defined = new Set(resourceServer.scopes.map(({ name }) => name));
  const known = routes.filter(({ scope }) => defined.has(scope));
  if (known.length > 0) await scopeRoutes.tell(resourceServer.id, known, now, MOST_ROUTES);
}

async function countRows(
  stores: Writing,
  { resourceServer, rows, others, reporterId }: UsageReport,
  at: number,
): Promise<void> {
  const isRegistered = await registeredAmong(stores, resourceServer.id, rows);
  const registered = rows.filter(isRegistered);
  const unknown = rows
    .filter((row) => !isRegistered(row))
    .map(({ credentialId, ok, denied }) => ({ issuer: '', caller: credentialId, ok, denied }));
  const told = { resourceServerId: resourceServer.id, reporterId };
  await countUnregistered(stores, told, [...others, ...unknown], at);
  if (registered.length === 0) return;
  const defined = new Set(resourceServer.scopes.map(({ name }) => name));
  const before = await stores.usage.ofAccess([...new Set(registered.map(({ accessId }) => accessId))]);
  const byKey = new Map(
    before.map((record) => [keyOf(record.accessId, record.scope, record.credentialId), record]),
  );
  const changed = new Map<string, UsageRecord>();
  for (const row of registered) {
    // What the API does not define nobody can hold: it counts as use of the access, and no reporter makes up rows.
    const scope = row.scope !== undefined && defined.has(row.scope) ? row.scope : '';
    const key = keyOf(row.accessId, scope, row.credentialId);
    const known = changed.get(key) ?? byKey.get(key) ?? emptyRecord(resourceServer.id, row, scope);
    changed.set(key, counted(known, row, at));
  }
  await stores.usage.put([...changed.values()]);
}

/** Which rows are of an access here and a credential of the identity that has it. */
async function registeredAmong(
  { usage }: Writing,
  resourceServerId: string,
  rows: readonly UsageRow[],
): Promise<(row: UsageRow) => boolean> {
  const pairs = await usage.registered(
    resourceServerId,
    [...new Set(rows.map(({ accessId }) => accessId))],
    [...new Set(rows.map(({ credentialId }) => credentialId))],
  );
  const known = new Set(pairs.map(({ accessId, credentialId }) => keyOf(accessId, credentialId)));
  return ({ accessId, credentialId }) => known.has(keyOf(accessId, credentialId));
}

function keyOf(...parts: readonly string[]): string {
  // Names hold no line break.
  return parts.join('\n');
}

function emptyRecord(
  resourceServerId: string,
  { accessId, credentialId }: UsageRow,
  scope: string,
): UsageRecord {
  return {
    accessId,
    scope,
    credentialId,
    resourceServerId,
    ok: 0,
    denied: 0,
    lastOkAt: undefined,
    lastDeniedAt: undefined,
    days: NO_DAYS,
  };
}

/** A refusal never makes anything look used. */
function counted(record: UsageRecord, { ok, denied, age }: UsageRow, at: number): UsageRecord {
  return {
    ...record,
    ok: Math.min(record.ok + ok, Number.MAX_SAFE_INTEGER),
    denied: Math.min(record.denied + denied, Number.MAX_SAFE_INTEGER),
    lastOkAt: ok > 0 ? Math.max(record.lastOkAt ?? 0, at) : record.lastOkAt,
    lastDeniedAt: denied > 0 ? Math.max(record.lastDeniedAt ?? 0, at) : record.lastDeniedAt,
    days: ok > 0 ? withDay(record.days, dayOf(at)) : record.days,
    ...(ok === 0 ? {} : agedBy(record, age, at)),
  };
}

function agedBy(
  { oldestAge, unagedAt }: UsageRecord,
  age: number | undefined,
  at: number,
): Pick<UsageRecord, 'oldestAge' | 'unagedAt'> {
  if (age === undefined) return { unagedAt: Math.max(unagedAt ?? 0, at) };
  return { oldestAge: Math.max(oldestAge ?? 0, age) };
}
