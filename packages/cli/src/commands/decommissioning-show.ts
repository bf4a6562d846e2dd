import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { decommissioningLines } from '../output/decommissioning.ts';
import { printObject } from '../output/formats.ts';

type Flags = OutputFlags & ConnectionFlags;

/** The end of one identity with who still calls. */
export const decommissioningShow: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, id) {
    const { host } = this;
    const { body } = await withAdmin(host, flags, ({ named }) =>
      named.call('decommissioning.get', { params: { id } }),
    );
    if (flags.output !== 'table') return printObject(host, flags.output, body, () => body.client_id);
    for (const line of decommissioningLines(body, host.stdout.columns)) host.stdout.write(`${line}\n`);
  },
  parameters: {
    flags: { ...outputFlags, ...connectionFlags },
    aliases: outputAliases,
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Its id (idn_…), client_id or name', parse: String, placeholder: 'IDENTITY' }],
    },
  },
  docs: {
    brief: 'Show how an identity ends: announced times, and who still calls',
    customUsage: ['payments', 'payments -o json'],
  },
});
