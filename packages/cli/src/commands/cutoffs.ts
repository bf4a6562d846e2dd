import type { Cutoff } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { buildNoun } from '../noun/noun-command.ts';
import { cutoffsDrill } from './cutoffs-drill.ts';
import { cutoffsShow } from './cutoffs-show.ts';

export const cutoffs: RouteMap<CliContext> = buildNoun<Cutoff>(
  {
    name: 'cutoffs',
    brief: 'Orders to stop trusting something at once',
    moreExamples: ['cutoffs show cut_0123456789abcdefghij', 'cutoffs drill'],
    argument: 'CUTOFF',
    none: 'Nothing was cut off.',
    presentation: {
      name: (cutoff) => cutoff.id,
      columns: [
        { header: 'ID', value: (cutoff) => cutoff.id },
        { header: 'KIND', value: (cutoff) => cutoff.kind },
        { header: 'TARGET', value: (cutoff) => cutoff.target },
        { header: 'REFUSED UP TO', value: (cutoff) => cutoff.not_before },
        { header: 'REASON', value: (cutoff) => cutoff.reason },
        { header: 'ORDERED BY', value: (cutoff) => cutoff.ordered_by },
      ],
    },
  },
  {
    list: { operation: 'cutoffs.list', examples: ['', '-o json'] },
    create: {
      operation: 'cutoffs.create',
      examples: [
        '--kind identity --id payments --reason "secret seen in a log" --yes',
        '--kind token --id 5m2gk1… --reason "sent to the wrong host" --yes',
      ],
      overrides: {
        kind: { brief: 'What is cut off' },
        id: { brief: 'Identity: id, client_id or name; credential: id; token: jti; key: kid' },
        reason: { brief: 'Why; it stays in the audit log' },
        successors: { brief: 'Of a credential: which that took its place go with it' },
      },
      caution: ({ kind }) =>
        kind === 'identity'
          ? 'To resume an identity after this takes two people who have signed in, and a new credential.'
          : undefined,
      done: 'Cut off:',
    },
    lift: {
      operation: 'cutoffs.lift',
      examples: ['cut_0123456789abcdefghij --reason "false alarm"'],
      overrides: { reason: { brief: 'Why; it stays in the audit log' } },
      done: 'Your word is noted, and counts for a day; the second one puts the identity back to work:',
    },
  },
  { show: cutoffsShow, drill: cutoffsDrill },
);
