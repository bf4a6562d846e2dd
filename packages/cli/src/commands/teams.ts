import type { Team } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { buildNoun } from '../noun/noun-command.ts';

const members: FieldOverrides = {
  name: { brief: 'What owners name; never changes' },
  members: {
    flag: 'member',
    placeholder: 'people',
    brief: 'Handles of its people, in place of those before',
  },
  lead: { placeholder: 'person', brief: 'Handle of who leads it' },
  channel: { brief: 'Where it is reached' },
};

export const teams: RouteMap<CliContext> = buildNoun<Team>(
  {
    name: 'teams',
    brief: 'Who answers for machines together',
    argument: 'TEAM',
    get: 'teams.get',
    none: 'There are no such teams.',
    presentation: {
      name: (team) => team.name,
      columns: [
        { header: 'NAME', value: (team) => team.name },
        { header: 'LEAD', value: (team) => team.lead ?? '' },
        { header: 'MEMBERS', value: (team) => team.members.join(' ') },
        { header: 'CHANNEL', value: (team) => team.channel ?? '' },
      ],
    },
  },
  {
    list: {
      operation: 'teams.list',
      examples: ['', '--person ada@example.com -o name'],
      overrides: { person: { placeholder: 'person', brief: 'Of this member or lead' } },
    },
    get: { operation: 'teams.get', examples: ['payments', 'tem_0123456789abcdefghij -o yaml'] },
    create: {
      operation: 'teams.create',
      examples: ['--name payments --member ada@example.com,lin@example.com --lead grace@example.com'],
      overrides: members,
      done: 'Entered',
    },
    update: {
      operation: 'teams.patch',
      examples: ['payments --lead lin@example.com'],
      overrides: members,
      done: 'Changed',
    },
    delete: { operation: 'teams.delete', examples: ['payments --yes'], done: 'Removed' },
  },
);
