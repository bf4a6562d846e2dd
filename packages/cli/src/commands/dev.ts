import { join } from 'node:path';
import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { Host } from '../host.ts';
import { type ServingFlags, servingFlags } from '../serving/flags.ts';
import { runAuthority } from '../serving/run-authority.ts';

export const dev: Command<CliContext> = buildCommand<ServingFlags, [], CliContext>({
  func(flags) {
    return runAuthority(
      this,
      'dev',
      { ...flags, readyFile: flags.readyFile ?? usualReadyFile(this.host, flags) },
      () => import('@countersign/server/main'),
    );
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

/** Where the other commands look. A settings file may name another place, so it is left alone where there is one. */
function usualReadyFile(host: Pick<Host, 'env'>, flags: ServingFlags): string | undefined {
  const named = (name: string): boolean => (host.env[name] ?? '') !== '';
  if (named('COUNTERSIGN_READY_FILE') || flags.config !== undefined || named('COUNTERSIGN_CONFIG'))
    return undefined;
  return join(flags.dataDir ?? (host.env['COUNTERSIGN_DATA_DIR'] || '.countersign'), 'ready.json');
}
