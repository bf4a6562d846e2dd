import type { ListedRisk } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { buildNoun } from '../noun/noun-command.ts';

export const risk: RouteMap<CliContext> = buildNoun<ListedRisk>(
  {
    name: 'risk',
    brief: 'Which machines are the riskiest',
    moreExamples: ['identities risk payments'],
    argument: 'IDENTITY',
    none: 'There are no such machines.',
    presentation: {
      name: (item) => item.client_id,
      columns: [
        { header: 'CLIENT ID', value: (item) => item.client_id },
        { header: 'SCORE', value: (item) => String(item.score) },
        { header: 'BAND', value: (item) => item.band },
        { header: 'SINCE', value: (item) => item.looked_at },
      ],
    },
  },
  {
    list: {
      operation: 'risk.list',
      examples: ['', '--min-score 50', '--min-score 75 --all -o name'],
      overrides: { min_score: { brief: 'Of at least this score' } },
    },
  },
);
