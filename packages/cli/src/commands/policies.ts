import type { Policy } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { splitWords } from '../flags/words.ts';
import { jsonFile } from '../named-file.ts';
import { buildNoun } from '../noun/noun-command.ts';
import { membersText } from '../output/formats.ts';
import { policiesTest } from './policies-test.ts';
import { policiesWhatIf } from './policies-what-if.ts';

const json = (flag: string, brief: string): FieldOverrides[string] => ({
  flag,
  placeholder: 'file',
  brief,
  read: ([file], host, flag) => jsonFile(host, file as string, flag),
});

const members: FieldOverrides = {
  mode: { brief: 'What becomes of what breaks it; report when it is new and nothing is said' },
  parameters: json('parameters-file', 'JSON, as the page of the rule says: {"max_age": "90d"}'),
  tests: json('tests-file', 'JSON: [{"name": "…", "given": {…}, "expect": "refuse"}]'),
  'match.environments': { flag: 'environments', brief: 'Only in these', repeat: true, read: splitWords },
  'match.kinds': { flag: 'kinds', brief: 'Only identities of these kinds', repeat: true, read: splitWords },
  'match.min_sensitivity': {
    flag: 'min-sensitivity',
    brief: 'Only identities from this sensitivity on, 0 to 3',
  },
  'match.teams': {
    flag: 'teams',
    brief: 'Only identities of these owner teams',
    repeat: true,
    read: splitWords,
  },
};

export const policies: RouteMap<CliContext> = buildNoun<Policy>(
  {
    name: 'policies',
    brief: 'What is allowed of machines, and what becomes of what is not',
    argument: 'POLICY',
    get: 'policies.get',
    none: 'There are no policies.',
    presentation: {
      name: (policy) => policy.id,
      columns: [
        { header: 'ID', value: (policy) => policy.id },
        { header: 'NAME', value: (policy) => policy.name },
        { header: 'RULE', value: (policy) => policy.rule },
        { header: 'MODE', value: (policy) => policy.mode },
        { header: 'MATCHES', value: (policy) => membersText(policy.match) },
        { header: 'PARAMETERS', value: (policy) => membersText(policy.parameters) },
      ],
    },
    moreExamples: ['policies what-if --file policies.yaml', 'policies test policies.yaml'],
  },
  {
    list: { operation: 'policies.list', examples: ['', '-o yaml'] },
    get: { operation: 'policies.get', examples: ['pol_0123456789abcdefghij'] },
    create: {
      operation: 'policies.create',
      examples: ['--name "old secrets" --rule credential_age --parameters-file age.json --environments prod'],
      overrides: members,
      done: 'Declared',
    },
    update: {
      operation: 'policies.patch',
      examples: ['pol_0123456789abcdefghij --mode enforce'],
      overrides: members,
      done: 'Changed',
    },
    delete: {
      operation: 'policies.delete',
      examples: ['pol_0123456789abcdefghij --yes'],
      done: 'Deleted',
    },
  },
  { 'what-if': policiesWhatIf, test: policiesTest },
);
