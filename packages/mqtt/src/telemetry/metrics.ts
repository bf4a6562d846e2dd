// What this process says of itself, in the Prometheus text format.
import { about, type FeedFigures, feedFigures, processFigures, stateFigures } from '@countersign/daemon';
import type { End } from '../admission/reasons.ts';
import type { Ledger } from './ledger.ts';

export interface MetricSources {
  readonly ledger: Pick<Ledger, 'counts'>;
  readonly version: string;
  readonly ready: () => boolean;
  readonly feeds: () => readonly FeedFigures[];
  readonly sessions: () => number;
}

const PREFIX = 'countersign_mqtt';

/** All figures as text. Labels come from closed sets. */
export function renderMetrics({ ledger, version, ready, feeds, sessions }: MetricSources): string {
  const { accepted, denied, withheld, refused, ended } = ledger.counts();
  const byReason = (name: string, counts: ReadonlyMap<End, number>): readonly string[] =>
    [...counts].map(([reason, count]) => `${PREFIX}_${name}{reason="${reason}"} ${count}`);
  return [
    ...stateFigures(PREFIX, version, ready()),
    ...about(`${PREFIX}_sessions`, 'gauge', 'Clients that are connected.'),
    `${PREFIX}_sessions ${sessions()}`,
    ...about(`${PREFIX}_accepted_total`, 'counter', 'Connections that became a session.'),
    `${PREFIX}_accepted_total ${accepted}`,
    ...about(`${PREFIX}_refused_total`, 'counter', 'Connections refused, by reason.'),
    ...byReason('refused_total', refused),
    ...about(`${PREFIX}_ended_total`, 'counter', 'Sessions that ended, by reason.'),
    ...byReason('ended_total', ended),
    ...about(`${PREFIX}_denied_total`, 'counter', 'Messages and filters that a client may not use.'),
    `${PREFIX}_denied_total ${denied}`,
    ...about(`${PREFIX}_withheld_total`, 'counter', 'Messages that a client may not receive any more.'),
    `${PREFIX}_withheld_total ${withheld}`,
    ...feedFigures(PREFIX, feeds()),
    ...processFigures(PREFIX),
    '',
  ].join('\n');
}
