import type { PolicyException } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { buildNoun } from '../noun/noun-command.ts';

export const policyExceptions: RouteMap<CliContext> = buildNoun<PolicyException>(
  {
    name: 'policy-exceptions',
    brief: 'Whom a policy lets be for a time, and who answers for it',
    argument: 'EXCEPTION',
    get: 'policy-exceptions.get',
    none: 'Nobody is excepted.',
    presentation: {
      name: (exception) => exception.id,
      columns: [
        { header: 'ID', value: (exception) => exception.id },
        { header: 'POLICY', value: (exception) => exception.policy_name },
        { header: 'IDENTITY', value: (exception) => exception.client_id },
        { header: 'UNTIL', value: (exception) => exception.expires_at },
        { header: 'APPROVED BY', value: (exception) => exception.approved_by },
        { header: 'REASON', value: (exception) => exception.reason },
      ],
    },
  },
  {
    list: { operation: 'policy-exceptions.list', examples: ['', '--identity payments'] },
    get: { operation: 'policy-exceptions.get', examples: ['pex_0123456789abcdefghij'] },
    create: {
      operation: 'policy-exceptions.create',
      examples: ['--policy "old secrets" --identity payments --for 30d --reason "moves to keys in May"'],
      done: 'Excepted',
    },
    revoke: {
      operation: 'policy-exceptions.revoke',
      examples: ['pex_0123456789abcdefghij --yes'],
      done: 'Ended',
    },
  },
);
