import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { printObject } from '../output/formats.ts';
import { rotationLines } from '../output/rotation.ts';

type Flags = OutputFlags & ConnectionFlags;

/** How far one rotation is. */
export const credentialsRotation: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, id) {
    const { host } = this;
    const { body } = await withAdmin(host, flags, ({ client }) =>
      client.call('credentials.rotation', { params: { id } }),
    );
    if (flags.output !== 'table') return printObject(host, flags.output, body, () => body.credential);
    for (const line of rotationLines(body, host.stdout.columns)) host.stdout.write(`${line}\n`);
  },
  parameters: {
    flags: { ...outputFlags, ...connectionFlags },
    aliases: outputAliases,
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'Its id (crd_…), or that of its successor', parse: String, placeholder: 'CREDENTIAL' },
      ],
    },
  },
  docs: {
    brief: 'Show how far a rotation is: who has moved, and who has not',
    customUsage: ['crd_0123456789abcdefghij', 'crd_0123456789abcdefghij -o json'],
  },
});
