import type { Workload } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { splitWords } from '../flags/words.ts';
import { buildNoun } from '../noun/noun-command.ts';

const members: FieldOverrides = {
  selectors: {
    flag: 'selector',
    placeholder: 'selector',
    brief: 'What holds for the process, all of them: unix:uid:1000, unix:path:/usr/bin/orders',
    repeat: true,
    read: splitWords,
  },
};

export const workloads: RouteMap<CliContext> = buildNoun<Workload>(
  {
    name: 'workloads',
    brief: 'Which processes an agent gives SVIDs to',
    argument: 'WORKLOAD',
    get: 'workloads.get',
    none: 'No workload is registered.',
    presentation: {
      name: (each) => each.id,
      columns: [
        { header: 'ID', value: (each) => each.id },
        { header: 'AGENT', value: (each) => each.agent },
        { header: 'SPIFFE ID', value: (each) => each.spiffe_id },
        { header: 'SELECTORS', value: (each) => each.selectors.join(' ') },
        { header: 'EXPIRES', value: (each) => each.expires_at },
      ],
    },
  },
  {
    list: { operation: 'workloads.list', examples: ['', '--agent host-7'] },
    get: { operation: 'workloads.get', examples: ['wkl_0123456789abcdefghij'] },
    create: {
      operation: 'workloads.create',
      examples: [
        '--agent host-7 --identity orders --selector unix:uid:1000 --expires-at 2027-06-30T00:00:00Z',
      ],
      overrides: members,
      done: 'Registered',
    },
    update: {
      operation: 'workloads.patch',
      examples: ['wkl_0123456789abcdefghij --selector unix:uid:1001'],
      overrides: members,
      done: 'Changed',
    },
    delete: {
      operation: 'workloads.delete',
      examples: ['wkl_0123456789abcdefghij --yes'],
      done: 'Removed',
    },
  },
);
