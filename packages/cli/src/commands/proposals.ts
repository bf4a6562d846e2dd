import type { Proposal } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { buildNoun } from '../noun/noun-command.ts';
import { proposalsAssess } from './proposals-assess.ts';

const reason: FieldOverrides = { reason: { brief: 'Why; it stays in the audit log' } };

export const proposals: RouteMap<CliContext> = buildNoun<Proposal>(
  {
    name: 'proposals',
    brief: 'What machines could do without, by what they use',
    moreExamples: ['proposals assess payments'],
    argument: 'PROPOSAL',
    get: 'proposals.get',
    none: 'Nothing is proposed.',
    presentation: {
      name: (item) => item.id,
      columns: [
        { header: 'ID', value: (item) => item.id },
        { header: 'KIND', value: (item) => item.kind },
        { header: 'IDENTITY', value: (item) => item.client_id },
        { header: 'API', value: (item) => item.resource ?? '' },
        { header: 'STATE', value: (item) => item.state },
        { header: 'TAKES', value: (item) => item.change.take?.join(' ') ?? '' },
        { header: 'REFUSED SINCE', value: (item) => String(item.refusals) },
        { header: 'REASON', value: (item) => item.reason },
        { header: 'FIX', value: (item) => item.fix },
      ],
    },
  },
  {
    list: {
      operation: 'proposals.list',
      examples: ['--state open', '--identity payments', '--kind narrow --all -o json'],
      overrides: {
        identity: { brief: 'About this one: id, client_id or name' },
        subject: { brief: 'About this access, credential or identity: its id' },
        kind: { brief: 'Of this kind' },
        state: { brief: 'In this state' },
      },
    },
    get: { operation: 'proposals.get', examples: ['prp_0123456789abcdefghij -o yaml'] },
    apply: {
      operation: 'proposals.apply',
      examples: ['prp_0123456789abcdefghij --dry-run', 'prp_0123456789abcdefghij --yes'],
      overrides: reason,
      done: 'Applied',
    },
    dismiss: {
      operation: 'proposals.dismiss',
      examples: ['prp_0123456789abcdefghij --reason "the yearly report needs it" --until 180d'],
      overrides: {
        reason: { brief: 'Why it stays as it is; it stays in the audit log' },
        until: { brief: 'Until when', span: 'ahead' },
      },
      done: 'Dismissed',
    },
    rollback: {
      operation: 'proposals.rollback',
      examples: ['prp_0123456789abcdefghij --reason "the nightly job needs it"'],
      overrides: reason,
      done: 'Given back:',
    },
  },
  { assess: proposalsAssess },
);
