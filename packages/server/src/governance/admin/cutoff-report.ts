import type { CutoffReport, CutoffResourceServer } from '@countersign/admin-api';
import type { LoggedEvent } from '../../audit/event.ts';
import type { AuditLog } from '../../audit/log.ts';
import type { Clock } from '../../clock.ts';
import { isConnected, worstCase } from '../../cutoff/exposure.ts';
import type { CutoffFollowers } from '../../cutoff/followers.ts';
import {
  type CutoffReachDeps,
  cutoffReach,
  lifeAt,
  type Reached,
  type ReachStores,
} from '../../registry/cutoff-reach.ts';
import { cutoffView, rfc3339 } from '../../registry/views.ts';
import type { FollowerKey, FollowerRecord } from '../../storage/cutoff-receipts.ts';
import type { CutoffKind, CutoffRecord } from '../../storage/cutoffs.ts';
import type { Storage } from '../../storage/storage.ts';

export interface CutoffReportDeps extends CutoffReachDeps {
  readonly storage: ReachStores & Pick<Storage, 'cutoffReceipts'>;
  readonly followers: Pick<CutoffFollowers, 'flush'>;
  readonly log: Pick<AuditLog, 'find'>;
  readonly clock: Clock;
}

type Target = { readonly kind: CutoffKind; readonly target: string };
type Follower = CutoffResourceServer['followers'][number];

/** Of verifiers that were not heard of for a day it is not known whether they still run; no token lives longer. */
const HEARD_OF_WITHIN = 86_400_000;
const MOST_FOLLOWERS = 20_000;
const MOST_SHOWN = 100;

/** The receipts of one order. */
interface Receipts {
  readonly order: CutoffRecord;
  readonly confirmedAt: ReadonlyMap<string, number>;
  readonly attempts: ReadonlyMap<string, { readonly count: number; readonly at: number }>;
}

/** What an order about the target would reach, and the worst case of it. */
export async function outlookOf(
  deps: CutoffReportDeps,
  target: Target,
): Promise<Pick<CutoffReport, 'worst_case' | 'resource_servers'>> {
  const now = deps.clock.now();
  const reached = await reachOf(deps, target, now);
  await deps.followers.flush();
  return summary(await serversOf(deps, reached, now, undefined));
}

/** An order with its receipts. */
export async function reportOf(deps: CutoffReportDeps, order: CutoffRecord): Promise<CutoffReport> {
  const now = deps.clock.now();
  const reached = await reachOf(deps, order, order.createdAt);
  await deps.followers.flush();
  const { cutoffReceipts } = deps.storage;
  const confirmations = await cutoffReceipts.confirmationsOf(order.cursor);
  const attempts = await cutoffReceipts.attemptsOf(order.cursor);
  const servers = await serversOf(deps, reached, now, {
    order,
    confirmedAt: new Map(confirmations.map((each) => [keyOf(each), each.at])),
    attempts: new Map(attempts.map((each) => [keyOf(each), each])),
  });
  return {
    ...cutoffView(order),
    ...summary(servers),
    all_confirmed: servers.every(({ waiting }) => waiting === 0),
  };
}

/** Of a token that the audit log knows, its API and no other. */
async function reachOf(deps: CutoffReportDeps, target: Target, at: number): Promise<readonly Reached[]> {
  const issued = target.kind === 'token' ? await issuanceOf(deps, target.target, at) : undefined;
  const resource = issued?.resource;
  const server =
    resource === undefined ? undefined : await deps.storage.resourceServers.byIdentifier(resource);
  if (issued === undefined || server === undefined) return cutoffReach(deps, deps.storage, target, at);
  const age = Math.floor((at - Date.parse(issued.at)) / 1000);
  return [{ resourceServer: server, longestLife: Math.max(0, lifeAt(deps, server) - age) }];
}

async function issuanceOf(deps: CutoffReportDeps, jti: string, at: number): Promise<LoggedEvent | undefined> {
  const filter = { jti, type: 'token.issued', from: at - HEARD_OF_WITHIN };
  const [issued] = await deps.log.find(filter, { afterSeq: 0, limit: 1 });
  return issued;
}

function summary(
  servers: readonly CutoffResourceServer[],
): Pick<CutoffReport, 'worst_case' | 'resource_servers'> {
  const sorted = [...servers].sort((a, b) => b.worst_case - a.worst_case);
  return { worst_case: sorted[0]?.worst_case ?? 0, resource_servers: sorted };
}

async function serversOf(
  deps: CutoffReportDeps,
  reached: readonly Reached[],
  now: number,
  receipts: Receipts | undefined,
): Promise<CutoffResourceServer[]> {
  const since = (receipts?.order.createdAt ?? now) - HEARD_OF_WITHIN;
  const followers = await deps.storage.cutoffReceipts.followers(since, MOST_FOLLOWERS);
  const byServer = new Map<string, FollowerRecord[]>();
  for (const each of followers) {
    const known = byServer.get(each.resourceServerId);
    if (known === undefined) byServer.set(each.resourceServerId, [each]);
    else known.push(each);
  }
  return reached.map((each) => serverOf(each, byServer.get(each.resourceServer.id) ?? [], now, receipts));
}

function serverOf(
  { resourceServer, longestLife }: Reached,
  records: readonly FollowerRecord[],
  now: number,
  receipts: Receipts | undefined,
): CutoffResourceServer {
  const passed = receipts === undefined ? 0 : Math.floor((now - receipts.order.createdAt) / 1000);
  const life = Math.max(0, longestLife - passed);
  const followers = records
    .map((record) => followerOf(record, now, life, receipts))
    .sort((a, b) => b.worst_case - a.worst_case || b.attempts - a.attempts);
  const inState = (...states: Follower['state'][]): number =>
    followers.filter(({ state }) => states.includes(state)).length;
  const exposures = followers.flatMap(({ exposure_ms: ms }) => (ms === null ? [] : [ms]));
  const follows = records.length > 0;
  return {
    resource_server: resourceServer.id,
    identifier: resourceServer.identifier,
    // The admin API asks the authority itself.
    obeys: resourceServer.builtIn ? 'at_once' : follows ? 'feed' : 'expiry',
    longest_token_life: life,
    worst_case: resourceServer.builtIn ? 0 : follows ? (followers[0]?.worst_case ?? 0) : life,
    connected: records.filter((record) => isConnected(record, now)).length,
    silent: records.filter((record) => !isConnected(record, now)).length,
    confirmed: inState('confirmed', 'started_after'),
    waiting: inState('waiting'),
    slowest_exposure_ms: exposures.length === 0 ? null : Math.max(...exposures),
    attempts: followers.reduce((sum, { attempts }) => sum + attempts, 0),
    followers: followers.slice(0, MOST_SHOWN),
  };
}

function followerOf(
  record: FollowerRecord,
  now: number,
  life: number,
  receipts: Receipts | undefined,
): Follower {
  const key = keyOf(record);
  const confirmedAt = receipts?.confirmedAt.get(key);
  const attempts = receipts?.attempts.get(key);
  const state = stateOf(record, now, receipts?.order, confirmedAt);
  const obeys = state === 'confirmed' || state === 'started_after';
  return {
    instance: record.instance,
    proven: record.proven,
    state,
    last_seen_at: rfc3339(record.lastSeenAt),
    stale_after: record.staleAfter,
    on_stale: record.onStale,
    worst_case: obeys ? 0 : worstCase(record, now, life),
    confirmed_at: confirmedAt === undefined ? null : rfc3339(confirmedAt),
    exposure_ms:
      receipts === undefined || confirmedAt === undefined || state !== 'confirmed'
        ? null
        : Math.max(0, confirmedAt - receipts.order.createdAt),
    attempts: attempts?.count ?? 0,
    last_attempt_at: attempts === undefined ? null : rfc3339(attempts.at),
  };
}

function stateOf(
  record: FollowerRecord,
  now: number,
  order: CutoffRecord | undefined,
  confirmedAt: number | undefined,
): Follower['state'] {
  const connected = isConnected(record, now);
  if (order === undefined) return connected ? 'following' : 'silent';
  if (record.firstSeenAt > order.createdAt) return 'started_after';
  if (confirmedAt !== undefined) return 'confirmed';
  return connected ? 'waiting' : 'silent';
}

function keyOf({ resourceServerId, instance, proven }: FollowerKey): string {
  return `${resourceServerId} ${proven} ${instance}`;
}
