import type { Access } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { splitWords } from '../flags/words.ts';
import { jsonFile } from '../named-file.ts';
import { buildNoun } from '../noun/noun-command.ts';
import { accessExplain } from './access-explain.ts';
import { accessHolders } from './access-holders.ts';
import { accessShow } from './access-show.ts';

const members: FieldOverrides = {
  identity: { brief: 'Its id, client_id or name' },
  resource_server: { brief: 'Its id, identifier or name' },
  scopes: { brief: 'What it may do there; replaces what it may do now when changing' },
  justification: { brief: 'Why it needs that' },
  'conditions.networks': {
    flag: 'networks',
    brief: 'Tokens only from these CIDR blocks',
    repeat: true,
    read: (values) => (values.join('') === '' ? null : splitWords(values)),
  },
  'conditions.times': {
    flag: 'times-file',
    placeholder: 'file',
    brief: 'JSON: [{"days": ["mon"], "from": "08:00", "to": "18:00", "time_zone": "Europe/Amsterdam"}]',
    read: ([file], host, flag) => jsonFile(host, file as string, flag),
  },
  'conditions.binding': { flag: 'binding', brief: 'Tokens only bound to a proof: dpop, mtls or any' },
};

export const access: RouteMap<CliContext> = buildNoun<Access>(
  {
    name: 'access',
    moreExamples: [
      'access show acs_0123456789abcdefghij --within 90d',
      'access holders --resource-server https://fraud.example --scope fraud:write --at 2026-03-03T14:05:00Z',
      'access explain --identity payments --resource-server https://fraud.example --scope fraud:read',
    ],
    brief: 'Who may do what at which API',
    argument: 'ACCESS',
    get: 'access.get',
    none: 'Nobody has such access.',
    presentation: {
      name: (item) => item.id,
      columns: [
        { header: 'ID', value: (item) => item.id },
        { header: 'IDENTITY', value: (item) => item.client_id },
        { header: 'API', value: (item) => item.resource },
        { header: 'SCOPES', value: (item) => item.scopes.join(' ') },
        { header: 'STATE', value: (item) => item.state },
        { header: 'USE', value: (item) => item.usage?.state ?? '' },
        { header: 'LAST USED', value: (item) => item.usage?.last_used ?? '' },
        { header: 'APPROVED BY', value: (item) => item.approved_by ?? '' },
        { header: 'EXPIRES', value: (item) => item.expires_at },
      ],
    },
  },
  {
    list: {
      operation: 'access.list',
      examples: [
        '--resource-server https://fraud.example',
        '--identity payments --as-of 30d',
        '--scope fraud:write -o json',
        '--unused-for 90d --state active',
      ],
      overrides: {
        identity: { brief: 'Of this one: id, client_id or name' },
        resource_server: { brief: 'To this one: id, identifier or name' },
        scope: { brief: 'That holds this scope' },
        state: { brief: 'In this state' },
        as_of: { span: 'back' },
        used_within: { placeholder: 'span', brief: 'Used so lately, by --scope if given' },
        unused_for: { placeholder: 'span', brief: 'Known not to be used for so long, by --scope if given' },
      },
    },
    get: {
      operation: 'access.get',
      examples: ['acs_0123456789abcdefghij'],
      overrides: { within: { placeholder: 'span', brief: 'What its use is about; 30d when left out' } },
    },
    create: {
      operation: 'access.create',
      examples: [
        '--identity payments --resource-server https://fraud.example --scopes fraud:read --justification "scores each payment" --for 90d',
      ],
      overrides: members,
      done: 'Created',
    },
    update: {
      operation: 'access.patch',
      examples: ['acs_0123456789abcdefghij --scopes fraud:read,fraud:write'],
      overrides: members,
      done: 'Changed',
    },
    renew: {
      operation: 'access.renew',
      examples: ['acs_0123456789abcdefghij --for 90d --justification "still scores each payment"'],
      overrides: { justification: { brief: 'Why it is still needed' } },
      done: 'Asked for',
    },
    restore: {
      operation: 'access.restore',
      examples: ['acs_0123456789abcdefghij --reason "the owner was on leave, it is needed"'],
      overrides: { reason: { brief: 'Why; it stays in the audit log' } },
      done: 'Restored',
    },
    revoke: { operation: 'access.revoke', examples: ['acs_0123456789abcdefghij --yes'], done: 'Revoked' },
  },
  { show: accessShow, explain: accessExplain, holders: accessHolders },
);
