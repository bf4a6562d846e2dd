import type { WebhookTested } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { connectionFlags } from '../flags/connection.ts';
import { outputAliases, type OutputFlags, outputFlags } from '../flags/output.ts';
import { printObject } from '../output/formats.ts';

export const webhooksTest: Command<CliContext> = buildCommand<
  ConnectionFlags & OutputFlags,
  [string],
  CliContext
>({
  async func(flags, id) {
    const { host } = this;
    await withAdmin(host, flags, async (admin) => {
      const { body } = (await admin.table.call('webhooks.test', { params: { id } })) as {
        readonly body: WebhookTested;
      };
      await printObject(host, flags.output, body, (tested) => tested.event);
      if (body.delivered) return say(host, `It answered ${body.status}.`);
      say(host, `It was not delivered: ${body.error}`);
      this.setExitCode(EXIT_CODES.failure);
    });
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Its id', parse: String, placeholder: 'WEBHOOK' }],
    },
    flags: { ...outputFlags, ...connectionFlags },
    aliases: outputAliases,
  },
  docs: {
    brief: 'Send a notice of type webhook.test now; 1 when it does not arrive',
    customUsage: ['whk_0123456789abcdefghij'],
  },
});
