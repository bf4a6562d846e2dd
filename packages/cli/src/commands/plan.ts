import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { readDeclaredRequest } from '../declared/declared-request.ts';
import { type DeclaredFlags, declaredFlags } from '../declared/flags.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { connectionFlags } from '../flags/connection.ts';
import { type OutputFlags, outputFlags } from '../flags/output.ts';
import { printDifference } from '../output/print-difference.ts';

type Flags = DeclaredFlags & OutputFlags & ConnectionFlags;

export const plan: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const request = await readDeclaredRequest(this.host, flags.file, flags.prune);
    const difference = await withAdmin(this.host, flags, async ({ client }) => {
      try {
        return await client.preview('apply.run', { body: request.body });
      } catch (error) {
        throw request.locateFailure(error);
      }
    });
    await printDifference(this.host, difference, flags.output, 'stdout');
    if (difference.changes.length > 0) this.setExitCode(EXIT_CODES.difference);
  },
  parameters: {
    flags: { ...declaredFlags, ...outputFlags, ...connectionFlags },
    aliases: { f: 'file', o: 'output' },
  },
  docs: {
    brief: 'Show what `apply` would change; exit code 6 when there is something, 0 when nothing',
    customUsage: ['-f authority.yaml', '-f declared/ --prune -o json'],
  },
});
