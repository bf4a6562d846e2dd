// The Prometheus text format, version 0.0.4. Figures are read when somebody asks.

export interface FeedFigures {
  readonly resource: string;
  readonly stale: boolean;
  /** Seconds since the last news; undefined before the first. */
  readonly age: number | undefined;
}

/** What stands before the samples of one name. */
export function about(name: string, type: 'gauge' | 'counter', help: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

/** The version that runs, and whether it decides. @param prefix of every name */
export function stateFigures(prefix: string, version: string, ready: boolean): readonly string[] {
  return [
    ...about(`${prefix}_build_info`, 'gauge', 'The version that runs.'),
    `${prefix}_build_info{version="${version}",node="${process.version}"} 1`,
    ...about(`${prefix}_ready`, 'gauge', '1 while keys and cut-offs are known and no end has begun.'),
    `${prefix}_ready ${ready ? 1 : 0}`,
  ];
}

/** How well cut-offs are followed, by resource. */
export function feedFigures(prefix: string, feeds: readonly FeedFigures[]): readonly string[] {
  return [
    ...about(`${prefix}_cutoffs_stale`, 'gauge', '1 while cut-offs are not known, by resource.'),
    ...feeds.map(({ resource, stale }) => `${prefix}_cutoffs_stale{resource="${resource}"} ${stale ? 1 : 0}`),
    ...about(`${prefix}_cutoffs_age_seconds`, 'gauge', 'Time since the last news of cut-offs, by resource.'),
    ...feeds
      .filter(({ age }) => age !== undefined)
      .map(({ resource, age }) => `${prefix}_cutoffs_age_seconds{resource="${resource}"} ${age}`),
  ];
}

/** What the process uses. */
export function processFigures(prefix: string): readonly string[] {
  const { user, system } = process.cpuUsage();
  return [
    ...about(`${prefix}_resident_memory_bytes`, 'gauge', 'Resident memory of the process.'),
    `${prefix}_resident_memory_bytes ${process.memoryUsage.rss()}`,
    ...about(`${prefix}_cpu_seconds_total`, 'counter', 'Processor time of the process.'),
    `${prefix}_cpu_seconds_total ${(user + system) / 1e6}`,
  ];
}
