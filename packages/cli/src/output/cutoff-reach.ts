import type { CutoffOutlook, CutoffResourceServer } from '@countersign/admin-api';
import { type Column, tableLines } from './table.ts';

type Follower = CutoffResourceServer['followers'][number];

/** Verifiers that need a line of their own: of many that are as they should be the count is enough. */
const MOST_NAMED = 20;

const SERVERS: readonly Column<CutoffResourceServer>[] = [
  { header: 'API', value: (server) => server.identifier },
  { header: 'OBEYS BY', value: (server) => server.obeys.replace('_', ' ') },
  { header: 'CONNECTED', value: (server) => String(server.connected) },
  { header: 'SILENT', value: (server) => String(server.silent) },
  { header: 'TOKENS LIVE', value: (server) => `${server.longest_token_life} s` },
  { header: 'WORST CASE', value: (server) => `${server.worst_case} s` },
];

const RECEIPTS: readonly Column<CutoffResourceServer>[] = [
  { header: 'API', value: (server) => server.identifier },
  { header: 'CONFIRMED', value: (server) => String(server.confirmed) },
  { header: 'WAITING', value: (server) => String(server.waiting) },
  { header: 'SILENT', value: (server) => String(server.silent) },
  { header: 'EXPOSURE', value: (server) => milliseconds(server.slowest_exposure_ms) },
  { header: 'TRIED AFTERWARDS', value: (server) => String(server.attempts) },
  { header: 'STILL OPEN', value: (server) => `${server.worst_case} s` },
];

const FOLLOWERS: readonly Column<Follower & { readonly identifier: string }>[] = [
  { header: 'API', value: (each) => each.identifier },
  { header: 'VERIFIER', value: (each) => (each.proven ? each.instance : `${each.instance} (unproven)`) },
  { header: 'STATE', value: (each) => each.state.replace('_', ' ') },
  { header: 'LAST SEEN', value: (each) => each.last_seen_at },
  { header: 'WHEN STALE', value: (each) => `${each.on_stale} after ${each.stale_after} s` },
  { header: 'EXPOSURE', value: (each) => milliseconds(each.exposure_ms) },
  { header: 'TRIED', value: (each) => String(each.attempts) },
  { header: 'STILL OPEN', value: (each) => `${each.worst_case} s` },
];

function milliseconds(value: number | null): string {
  return value === null ? '-' : `${value} ms`;
}

/** Before an order: whom it reaches, and for how long a token may still be taken where not a word arrives. */
export function outlookLines(outlook: CutoffOutlook, width: number | undefined): readonly string[] {
  if (outlook.resource_servers.length === 0) return ['No API takes tokens of it.'];
  const doubtful = named(outlook.resource_servers, (each) => each.state === 'silent');
  return [
    'It reaches:',
    ...tableLines(SERVERS, outlook.resource_servers, width),
    ...(doubtful.length === 0 ? [] : ['', 'Nothing is heard of:', ...tableLines(FOLLOWERS, doubtful, width)]),
    '',
    `Worst case: ${outlook.worst_case} s, if not a word reaches a verifier. One that is connected obeys within 2 s.`,
  ];
}

/** After an order: who has confirmed it. */
export function receiptLines(outlook: CutoffOutlook, width: number | undefined): readonly string[] {
  if (outlook.resource_servers.length === 0) return ['No API took tokens of it.'];
  const of = named(outlook.resource_servers, (each) => each.state !== 'started_after');
  return [
    ...tableLines(RECEIPTS, outlook.resource_servers, width),
    ...(of.length === 0 ? [] : ['', ...tableLines(FOLLOWERS, of, width)]),
  ];
}

function named(
  servers: readonly CutoffResourceServer[],
  wanted: (follower: Follower) => boolean,
): readonly (Follower & { readonly identifier: string })[] {
  return servers
    .flatMap(({ identifier, followers }) =>
      followers.filter(wanted).map((follower) => ({ ...follower, identifier })),
    )
    .slice(0, MOST_NAMED);
}
