import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { ownVersion } from '../version.ts';

export const version: Command<CliContext> = buildCommand<Record<never, never>, [], CliContext>({
  func() {
    this.host.stdout.write(`${ownVersion()}\n`);
  },
  parameters: {},
  docs: { brief: 'Print the version', customUsage: [''] },
});
