import type { Decommissioning } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { buildNoun } from '../noun/noun-command.ts';
import { decommissioningShow } from './decommissioning-show.ts';

const reason: FieldOverrides = { reason: { brief: 'Why; it stays in the audit log' } };

export const decommissioning: RouteMap<CliContext> = buildNoun<Decommissioning>(
  {
    name: 'decommissioning',
    brief: 'How machines end: announced times, and who still calls',
    moreExamples: ['decommissioning show payments'],
    argument: 'IDENTITY',
    none: 'Nobody is being decommissioned.',
    presentation: { name: (each) => each.client_id, columns: [] },
  },
  {
    extend: {
      operation: 'decommissioning.extend',
      examples: ['payments --days 7 --reason "the last caller moves next week"'],
      overrides: reason,
      done: 'Put off:',
    },
    skip: {
      operation: 'decommissioning.skip',
      examples: ['payments --reason "nobody calls any more" --yes'],
      overrides: reason,
      done: 'Moved on:',
    },
  },
  { show: decommissioningShow },
);
