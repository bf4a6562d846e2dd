import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { printObject } from '../output/formats.ts';

type Flags = OutputFlags & ConnectionFlags;

export const whoami: Command<CliContext> = buildCommand<Flags, [], CliContext>({
  async func(flags) {
    const { body } = await withAdmin(this.host, flags, ({ client }) => client.call('me.get'));
    const name = body.person?.handle ?? body.client_id ?? '';
    await printObject(this.host, flags.output, body, () => name);
  },
  parameters: { flags: { ...outputFlags, ...connectionFlags }, aliases: outputAliases },
  docs: {
    brief: 'Say who you are to the authority: a person with roles, or a machine; and what you may do',
    customUsage: ['', '-o json'],
  },
});
