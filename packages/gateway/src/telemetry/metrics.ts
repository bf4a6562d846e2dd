// The Prometheus text format, version 0.0.4. Figures are read when somebody asks.
import type { Ledger } from './ledger.ts';

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface MetricSources {
  readonly ledger: Pick<Ledger, 'counts'>;
  readonly version: string;
  readonly ready: () => boolean;
  /** How well cut-offs are followed, by resource. */
  readonly feeds: () => readonly FeedFigures[];
  /** Requests of the reverse proxy that are under way. */
  readonly inFlight: () => number;
}

export interface FeedFigures {
  readonly resource: string;
  readonly stale: boolean;
  /** Seconds since the last news; undefined before the first. */
  readonly age: number | undefined;
}

/** All figures as text. Labels come from closed sets: front, outcome, and names of the file. */
export function renderMetrics({ ledger, version, ready, feeds, inFlight }: MetricSources): string {
  const { user, system } = process.cpuUsage();
  const decisions = [...ledger.counts()].map(([key, value]) => {
    const [front, outcome] = key.split(' ');
    return `countersign_gateway_decisions_total{front="${front}",outcome="${outcome}"} ${value}`;
  });
  return [
    ...about('countersign_gateway_build_info', 'gauge', 'The version that runs.'),
    `countersign_gateway_build_info{version="${version}",node="${process.version}"} 1`,
    ...about('countersign_gateway_decisions_total', 'counter', 'Requests decided, by front and outcome.'),
    ...decisions,
    ...about(
      'countersign_gateway_ready',
      'gauge',
      '1 while keys and cut-offs are known and no end has begun.',
    ),
    `countersign_gateway_ready ${ready() ? 1 : 0}`,
    ...about('countersign_gateway_cutoffs_stale', 'gauge', '1 while cut-offs are not known, by resource.'),
    ...feeds().map(
      ({ resource, stale }) => `countersign_gateway_cutoffs_stale{resource="${resource}"} ${stale ? 1 : 0}`,
    ),
    ...about(
      'countersign_gateway_cutoffs_age_seconds',
      'gauge',
      'Time since the last news of cut-offs, by resource.',
    ),
    ...feeds()
      .filter(({ age }) => age !== undefined)
      .map(({ resource, age }) => `countersign_gateway_cutoffs_age_seconds{resource="${resource}"} ${age}`),
    ...about('countersign_gateway_in_flight', 'gauge', 'Requests under way at upstreams.'),
    `countersign_gateway_in_flight ${inFlight()}`,
    ...about('countersign_gateway_resident_memory_bytes', 'gauge', 'Resident memory of the process.'),
    `countersign_gateway_resident_memory_bytes ${process.memoryUsage.rss()}`,
    ...about('countersign_gateway_cpu_seconds_total', 'counter', 'Processor time of the process.'),
    `countersign_gateway_cpu_seconds_total ${(user + system) / 1e6}`,
    '',
  ].join('\n');
}

function about(name: string, type: 'gauge' | 'counter', help: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}
