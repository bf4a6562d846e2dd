import type { Approval } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { buildNoun } from '../noun/noun-command.ts';
import { approvalsShow } from './approvals-show.ts';

const verdict: FieldOverrides = {
  content_hash: {
    flag: 'hash',
    brief: 'The content_hash that `approvals show` printed: what you read is what you decide on',
  },
  comment: { brief: 'Why; it stays in the audit log' },
};

export const approvals: RouteMap<CliContext> = buildNoun<Approval>(
  {
    name: 'approvals',
    moreExamples: ['approvals show arq_0123456789abcdefghij'],
    brief: 'What waits for the approval of people',
    argument: 'APPROVAL',
    get: 'approvals.get',
    none: 'Nothing waits.',
    presentation: {
      name: (item) => item.id,
      columns: [
        { header: 'ID', value: (item) => item.id },
        { header: 'STATE', value: (item) => item.state },
        { header: 'ABOUT', value: (item) => item.subject.kind },
        { header: 'IDENTITY', value: (item) => item.client_id },
        { header: 'API', value: (item) => item.resource ?? '' },
        { header: 'CHANGES', value: (item) => (item.op === 'create' ? 'new' : item.changes.join(' ')) },
        { header: 'REQUESTED BY', value: (item) => item.requested_by },
        {
          header: 'GIVEN',
          value: (item) => item.steps.map(({ given, quorum }) => `${given}/${quorum}`).join(' '),
        },
        { header: 'EXPIRES', value: (item) => item.expires_at },
      ],
    },
  },
  {
    list: {
      operation: 'approvals.list',
      examples: ['--state pending --for me', '--identity payments', '--state rejected -o json'],
      overrides: {
        state: { brief: 'In this state' },
        for: { brief: '`me`: that I may decide' },
        subject: { brief: 'About this access or identity: its id' },
        identity: { brief: 'Of this one: id, client_id or name' },
        resource_server: { brief: 'At this one: id, identifier or name' },
      },
    },
    get: { operation: 'approvals.get', examples: ['arq_0123456789abcdefghij -o json'] },
    approve: {
      operation: 'approvals.approve',
      examples: ['arq_0123456789abcdefghij --hash 3f0c… --comment "agreed with the API team"'],
      overrides: verdict,
      done: 'Approved',
    },
    reject: {
      operation: 'approvals.reject',
      examples: ['arq_0123456789abcdefghij --hash 3f0c… --comment "read is enough"'],
      overrides: verdict,
      done: 'Rejected',
    },
  },
  { show: approvalsShow },
);
