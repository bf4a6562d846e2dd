import { KEY_ALGORITHMS, KEY_PURPOSES, type SigningKey } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { buildNoun } from '../noun/noun-command.ts';

export const keys: RouteMap<CliContext> = buildNoun<SigningKey>(
  {
    name: 'keys',
    brief: 'The keys that sign tokens and JWT-SVIDs',
    argument: 'KEY',
    none: 'There are no keys.',
    presentation: {
      name: (key) => key.kid,
      columns: [
        { header: 'KID', value: (key) => key.kid },
        { header: 'SIGNS', value: (key) => key.purpose },
        { header: 'ALG', value: (key) => key.alg },
        { header: 'STATE', value: (key) => key.state },
        { header: 'SIGNS FROM', value: (key) => (key.state === 'next' ? 'not yet' : key.active_at) },
        { header: 'LEAVES', value: (key) => key.remove_at ?? '' },
      ],
    },
  },
  {
    list: { operation: 'keys.list', examples: ['', '-o json'] },
    rotate: {
      operation: 'keys.rotate',
      examples: ['', '--purpose jwt_svids'],
      overrides: {
        alg: { brief: 'Algorithm whose key changes', values: [...KEY_ALGORITHMS] },
        purpose: { brief: 'What the key signs', values: [...KEY_PURPOSES] },
      },
    },
  },
);
