import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { type ServingFlags, servingFlags } from '../serving/flags.ts';
import { runAuthority } from '../serving/run-authority.ts';

export const dev: Command<CliContext> = buildCommand<ServingFlags, [], CliContext>({
  func(flags) {
    return runAuthority(this, 'dev', flags, () => import('@countersign/server/main'));
  },
  parameters: {
    flags: {
      ...servingFlags,
      http: { kind: 'boolean', optional: true, withNegated: false, brief: 'Listen without TLS' },
    },
  },
  docs: {
    brief: 'Run an authority for a laptop or a test suite: loopback, embedded database, generated CA',
    customUsage: ['', '--port 0 --apply authority.yaml --ready-file ready.json', '--http --port 8080'],
  },
});
