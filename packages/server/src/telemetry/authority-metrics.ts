import type { Metric } from './metrics.ts';

/** What the figures are read from: counters that their owners keep anyway. */
export interface MetricSources {
  readonly counters: { readonly tokensIssued: number; readonly refusals: ReadonlyMap<string, number> };
  readonly budgets?: { readonly overQuota: number };
  readonly facts: { size(): number };
  readonly feed: { waiting(): number };
  readonly followers?: { size(): number; crowdedOut(): number; outrun(): boolean };
  readonly log: { healthy(): boolean };
  readonly sink: { freeBytes(): number | undefined };
  readonly version: string;
}

export function authorityMetrics(sources: MetricSources): readonly Metric[] {
  const one = (value: number) => () => [{ value }];
  return [
    {
      name: 'countersign_build_info',
      help: 'The version that runs.',
      type: 'gauge',
      read: () => [{ labels: { version: sources.version, node: process.version }, value: 1 }],
    },
    {
      name: 'countersign_tokens_issued_total',
      help: 'Access tokens issued.',
      type: 'counter',
      read: one(sources.counters.tokensIssued),
    },
    {
      name: 'countersign_token_refusals_total',
      help: 'Token requests refused, by internal reason.',
      type: 'counter',
      read: () => [...sources.counters.refusals].map(([reason, value]) => ({ labels: { reason }, value })),
    },
    {
      name: 'countersign_over_quota_total',
      help: 'Token requests beyond the issuance quota of their identity, refused or only observed.',
      type: 'counter',
      read: one(sources.budgets?.overQuota ?? 0),
    },
    {
      name: 'countersign_cached_identities',
      help: 'Identities held in memory for the token path.',
      type: 'gauge',
      read: one(sources.facts.size()),
    },
    {
      name: 'countersign_cutoff_followers',
      help: 'Verifiers waiting for news of the cut-off feed.',
      type: 'gauge',
      read: one(sources.feed.waiting()),
    },
    {
      name: 'countersign_cutoff_followers_known',
      help: 'Verifiers whose receipts of the cut-off feed are kept at this node.',
      type: 'gauge',
      read: one(sources.followers?.size() ?? 0),
    },
    {
      name: 'countersign_cutoff_followers_crowded_out_total',
      help: 'Requests for the cut-off feed whose receipt was not kept, because there was no room for one more verifier.',
      type: 'counter',
      read: one(sources.followers?.crowdedOut() ?? 0),
    },
    {
      name: 'countersign_cutoff_feed_outrun',
      help: '1 when a verifier of a resource server has seen orders that this database does not hold: it was rolled back.',
      type: 'gauge',
      read: one(sources.followers?.outrun() === true ? 1 : 0),
    },
    {
      name: 'countersign_audit_healthy',
      help: '1 while the audit log takes events.',
      type: 'gauge',
      read: one(sources.log.healthy() ? 1 : 0),
    },
    {
      name: 'countersign_audit_free_bytes',
      help: 'Room left for the audit log.',
      type: 'gauge',
      read: () => {
        const value = sources.sink.freeBytes();
        return value === undefined ? [] : [{ value }];
      },
    },
    {
      name: 'countersign_resident_memory_bytes',
      help: 'Resident memory of the process.',
      type: 'gauge',
      read: () => [{ value: process.memoryUsage.rss() }],
    },
    {
      name: 'countersign_cpu_seconds_total',
      help: 'Processor time of the process.',
      type: 'counter',
      read: () => {
        const { user, system } = process.cpuUsage();
        return [{ value: (user + system) / 1e6 }];
      },
    },
  ];
}
