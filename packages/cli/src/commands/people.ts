import type { HandedOver, Person } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { buildNoun } from '../noun/noun-command.ts';
import type { Presentation } from '../output/formats.ts';
import { peopleExport } from './people-export.ts';
import { peopleImport } from './people-import.ts';

const members: FieldOverrides = {
  handle: { brief: 'What owners name: an e-mail address or a user name; never changes' },
  name: { brief: 'What people call them' },
  email: { placeholder: 'address', brief: 'E-mail address' },
  external_id: { placeholder: 'key', brief: 'Their key in the directory that they come from' },
  status: { brief: 'Whether they are there' },
  manager: { placeholder: 'person', brief: 'Handle of whom they report to' },
};

/** What became of each thing that was handed over. */
const handedOver: Presentation<HandedOver['items'][number]> = {
  name: (item) => item.name,
  columns: [
    { header: 'WHAT', value: (item) => item.kind },
    { header: 'NAME', value: (item) => item.name },
    { header: 'OUTCOME', value: (item) => item.outcome },
  ],
};

export const people: RouteMap<CliContext> = buildNoun<Person>(
  {
    name: 'people',
    brief: 'Who owners are, and who has left',
    argument: 'PERSON',
    get: 'people.get',
    none: 'There are no such people.',
    moreExamples: ['people import people.csv', 'people export > people.csv'],
    presentation: {
      name: (person) => person.handle,
      columns: [
        { header: 'HANDLE', value: (person) => person.handle },
        { header: 'NAME', value: (person) => person.name },
        { header: 'EMAIL', value: (person) => person.email ?? '' },
        { header: 'STATUS', value: (person) => person.status },
        { header: 'MANAGER', value: (person) => person.manager ?? '' },
      ],
    },
  },
  {
    list: {
      operation: 'people.list',
      examples: ['', '--status left -o json', '--manager grace@example.com'],
      overrides: {
        status: { brief: 'With this status' },
        manager: { placeholder: 'person', brief: 'Who report to this person' },
      },
    },
    get: {
      operation: 'people.get',
      examples: ['ada@example.com', 'ada@example.com --as-of 30d'],
      overrides: { as_of: { span: 'back' } },
    },
    create: {
      operation: 'people.create',
      examples: ['--handle ada@example.com --name "Ada Lovelace" --manager grace@example.com'],
      overrides: members,
      done: 'Entered',
    },
    update: {
      operation: 'people.patch',
      examples: ['ada@example.com --status left', 'ada@example.com --manager lin@example.com'],
      overrides: members,
      done: 'Changed',
    },
    'hand-over': {
      operation: 'people.hand-over',
      examples: [
        'ada@example.com --to lin@example.com --dry-run',
        'ada@example.com --to lin@example.com --yes',
      ],
      overrides: {
        to: { placeholder: 'person', brief: 'Handle of who is to answer for it' },
        reason: { brief: 'Why; it stays in the audit log' },
      },
      presentation: handedOver,
    },
    delete: {
      operation: 'people.delete',
      examples: ['ada@example.com --yes'],
      done: 'Removed',
    },
  },
  { import: peopleImport, export: peopleExport },
);
