// What this process says of itself, in the Prometheus text format.
import { about, type FeedFigures, feedFigures, processFigures, stateFigures } from '@countersign/daemon';
import type { Ledger } from './ledger.ts';

export interface MetricSources {
  readonly ledger: Pick<Ledger, 'counts' | 'turnedAwayCounts'>;
  readonly version: string;
  readonly ready: () => boolean;
  /** How well cut-offs are followed, by resource. */
  readonly feeds: () => readonly FeedFigures[];
  /** Requests of the reverse proxy that are under way. */
  readonly inFlight: () => number;
}

const PREFIX = 'countersign_gateway';

/** All figures as text. Labels come from closed sets: front, outcome, listener, reason, and names of the file. */
export function renderMetrics({ ledger, version, ready, feeds, inFlight }: MetricSources): string {
  const decisions = [...ledger.counts()].map(([key, value]) => {
    const [front, outcome] = key.split(' ');
    return `${PREFIX}_decisions_total{front="${front}",outcome="${outcome}"} ${value}`;
  });
  const turnedAway = [...ledger.turnedAwayCounts()].map(([key, value]) => {
    const [listener, reason] = key.split(' ');
    return `${PREFIX}_turned_away_total{listener="${listener}",reason="${reason}"} ${value}`;
  });
  return [
    ...stateFigures(PREFIX, version, ready()),
    ...about(`${PREFIX}_decisions_total`, 'counter', 'Requests decided, by front and outcome.'),
    ...decisions,
    ...about(`${PREFIX}_turned_away_total`, 'counter', 'Connections closed for want of a place.'),
    ...turnedAway,
    ...feedFigures(PREFIX, feeds()),
    ...about(`${PREFIX}_in_flight`, 'gauge', 'Requests under way at upstreams.'),
    `${PREFIX}_in_flight ${inFlight()}`,
    ...processFigures(PREFIX),
    '',
  ].join('\n');
}
