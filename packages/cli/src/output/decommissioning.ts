import type { Decommissioning, ObjectChange, RecentCallers } from '@countersign/admin-api';
import { type Column, fieldLines, tableLines } from './table.ts';

/** The end of a machine, and whom it hits, for people. */

const RECENT: readonly Column<RecentCallers['callers'][number]>[] = [
  { header: 'API', value: (caller) => caller.resource_server ?? '-' },
  { header: 'INSTANCE', value: (caller) => caller.instance ?? '-' },
  { header: 'FROM', value: (caller) => caller.source ?? '-' },
  { header: 'TOKENS', value: (caller) => String(caller.tokens) },
  { header: 'LAST', value: (caller) => caller.last_seen },
];

const CALLERS: readonly Column<Decommissioning['callers'][number]>[] = [
  { header: 'PHASE', value: (caller) => caller.phase },
  { header: 'API', value: (caller) => caller.resource_server ?? '-' },
  { header: 'INSTANCE', value: (caller) => caller.instance ?? '-' },
  { header: 'FROM', value: (caller) => caller.source },
  { header: 'CLIENT', value: (caller) => caller.agent },
  { header: 'LET THROUGH', value: (caller) => String(caller.would_be_refused) },
  { header: 'REFUSED', value: (caller) => String(caller.refused) },
  { header: 'LAST', value: (caller) => caller.last_seen },
];

/** Before it begins: who used it in the day before its last use. */
export function recentCallerLines(recent: RecentCallers, width: number | undefined): readonly string[] {
  if (recent.last_used === null) return ['It was never used, as far as can be seen.'];
  return [
    `It was last used at ${recent.last_used}. Who got tokens in the day before:`,
    ...tableLines(RECENT, recent.callers, width),
    ...(recent.complete ? [] : ['There were more than were looked at.']),
  ];
}

type Times = Pick<Decommissioning['plan'], 'shadow_until' | 'brown_outs' | 'stop_at' | 'ends_at'>;

/** Before it begins: when what would happen. Nothing where no change begins an end in phases. */
export function foreseenTimesLines(changes: readonly ObjectChange[]): readonly string[] {
  const plan = changes.find(({ kind, fields }) => kind === 'Identity' && fields.includes('decommissioning'))
    ?.after?.['decommissioning'];
  // As the contract says of an identity; a difference shows objects of all kinds, and types none.
  return plan === undefined || plan === null ? [] : fieldLines(timesOf(plan as Times));
}

function timesOf(plan: Times): readonly (readonly [string, string])[] {
  return [
    ['shadow until', plan.shadow_until],
    ...plan.brown_outs.map(({ from, to }, index): [string, string] => [
      `brown-out ${index + 1}`,
      `${from} to ${to}`,
    ]),
    ['stopped at', plan.stop_at],
    ['ends at', plan.ends_at],
  ];
}

/** While it lasts: what is announced, and who still calls. */
export function decommissioningLines(
  { client_id, state, reason, plan, next, refused_now, callers }: Decommissioning,
  width: number | undefined,
): readonly string[] {
  const story = fieldLines([
    ['client id', client_id],
    ['state', `${state}, ${plan.phase}${refused_now ? ', refused now' : ''}`],
    ['why', reason ?? '-'],
    ['began', `${plan.began_at}${plan.forced ? ', although it was used lately' : ''}`],
    ...timesOf(plan),
    ['next', next === null ? '-' : `${NEXT[next.what]} at ${next.at}`],
  ]);
  if (callers.length === 0) return [...story, '', 'Nobody has called since.'];
  return [...story, '', 'Who still calls:', ...tableLines(CALLERS, callers, width)];
}

const NEXT = { brown_out: 'a brown-out', stop: 'the stop', end: 'the end' } as const;
