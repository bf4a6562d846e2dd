import type { ApprovalRule } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { splitWords } from '../flags/words.ts';
import { jsonFile } from '../named-file.ts';
import { buildNoun } from '../noun/noun-command.ts';
import { membersText } from '../output/formats.ts';

const members: FieldOverrides = {
  subject: { brief: 'What it asks approval of: access (the default) or identity' },
  'match.environments': { flag: 'environments', brief: 'Only in these', repeat: true, read: splitWords },
  'match.kinds': { flag: 'kinds', brief: 'Only identities of these kinds', repeat: true, read: splitWords },
  'match.min_sensitivity': { flag: 'min-sensitivity', brief: 'Only from this sensitivity on, 0 to 3' },
  'match.resource_servers': { flag: 'resource-servers', brief: 'Only at these: identifiers' },
  'match.third_party': { flag: 'third-party', brief: 'Only third parties' },
  steps: {
    flag: 'steps-file',
    placeholder: 'file',
    brief: 'JSON: [{"quorum": 2, "roles": ["approver"], "teams": [], "people": []}]',
    read: ([file], host, flag) => jsonFile(host, file as string, flag),
  },
  owner_may_approve: {
    flag: 'not-by-owner',
    brief: 'The owner of the identity does not approve what others ask for it',
    read: () => false,
  },
};

export const approvalRules: RouteMap<CliContext> = buildNoun<ApprovalRule>(
  {
    name: 'approval-rules',
    brief: 'What needs the approval of people',
    argument: 'RULE',
    get: 'approval-rules.get',
    none: 'Nothing needs approval.',
    presentation: {
      name: (rule) => rule.id,
      columns: [
        { header: 'ID', value: (rule) => rule.id },
        { header: 'NAME', value: (rule) => rule.name },
        { header: 'ABOUT', value: (rule) => rule.subject },
        { header: 'MATCHES', value: (rule) => membersText(rule.match) },
        { header: 'STEPS', value: (rule) => rule.steps.map(stepText).join('; ') },
      ],
    },
  },
  {
    list: { operation: 'approval-rules.list', examples: ['', '-o yaml'] },
    get: { operation: 'approval-rules.get', examples: ['apr_0123456789abcdefghij'] },
    create: {
      operation: 'approval-rules.create',
      examples: ['--name production --environments prod --min-sensitivity 2 --steps-file steps.json'],
      overrides: members,
      done: 'Created',
    },
    update: {
      operation: 'approval-rules.patch',
      examples: ['apr_0123456789abcdefghij --steps-file steps.json'],
      overrides: members,
      done: 'Changed',
    },
    delete: {
      operation: 'approval-rules.delete',
      examples: ['apr_0123456789abcdefghij --yes'],
      done: 'Deleted',
    },
  },
);

function stepText({ quorum, roles, teams, people }: ApprovalRule['steps'][number]): string {
  return `${quorum} of ${[...roles, ...teams, ...people].join(', ')}`;
}
