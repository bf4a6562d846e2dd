import type { ResourceServer } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { buildNoun } from '../noun/noun-command.ts';

const members: FieldOverrides = {
  identifier: { placeholder: 'uri', brief: 'Absolute URI that tokens for it are asked for with' },
  name: { brief: 'What people call it' },
  scopes: {
    flag: 'scope',
    placeholder: 'name[=what it allows]',
    brief: 'A scope with its description; once for each scope, and all of them when changing',
    repeat: true,
    read: (values) => values.map(scopeOf),
  },
  'token.format': { brief: 'Format of its tokens' },
  'token.lifetime': { brief: 'Lifetime of its tokens in seconds' },
  'token.signing_alg': { flag: 'signing-alg', brief: 'Algorithm that signs its tokens' },
  'token.typ': { brief: 'Type in the header of its tokens' },
  'token.status_list': {
    flag: 'status-list',
    brief: 'Its tokens name their place in a status list, for verifiers that do not follow the cut-off feed',
  },
  sender_constraint: { brief: 'What its tokens must be bound to' },
};

/** `fraud:read=read scores` → name and description. */
function scopeOf(text: string): { readonly name: string; readonly description?: string } {
  const split = text.indexOf('=');
  return split === -1 ? { name: text } : { name: text.slice(0, split), description: text.slice(split + 1) };
}

export const resourceServers: RouteMap<CliContext> = buildNoun<ResourceServer>(
  {
    name: 'resource-servers',
    brief: 'The APIs and their scopes',
    argument: 'API',
    get: 'resource-servers.get',
    none: 'There are no such resource servers.',
    presentation: {
      name: (item) => item.identifier,
      columns: [
        { header: 'IDENTIFIER', value: (item) => item.identifier },
        { header: 'NAME', value: (item) => item.name },
        { header: 'SCOPES', value: (item) => item.scopes.map((scope) => scope.name).join(' ') },
        { header: 'SIGNED', value: (item) => item.token.signing_alg },
        { header: 'BOUND TO', value: (item) => item.sender_constraint },
      ],
    },
  },
  {
    list: { operation: 'resource-servers.list', examples: ['', '--text fraud -o name'] },
    get: {
      operation: 'resource-servers.get',
      brief: 'Show a resource server',
      examples: ['https://fraud.example', 'rsv_0123456789abcdefghij -o yaml'],
    },
    create: {
      operation: 'resource-servers.create',
      examples: [
        '--identifier https://fraud.example --name fraud --scope "fraud:read=read scores" --scope "fraud:write=change rules"',
      ],
      overrides: members,
      done: 'Created',
    },
    update: {
      operation: 'resource-servers.patch',
      examples: ['https://fraud.example --token-lifetime 300'],
      overrides: members,
      done: 'Changed',
    },
    delete: {
      operation: 'resource-servers.delete',
      examples: ['https://fraud.example --yes'],
      done: 'Deleted',
    },
  },
);
