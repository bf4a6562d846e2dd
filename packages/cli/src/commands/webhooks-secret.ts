import type { CreatedWebhook, OperationId } from '@countersign/admin-api';
import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import { type CliContext, say } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import {
  outputAliases,
  type OutputFlags,
  outputFlags,
  type WriteFlags,
  writeFlags,
} from '../flags/output.ts';
import { splitWords } from '../flags/words.ts';
import { contractFlags, type FieldOverrides, type FlagValues } from '../noun/contract-flags.ts';
import { mayProceed } from '../noun/write.ts';
import { printObject } from '../output/formats.ts';
import { secretFlags, type SecretFlags, secretPlaceOf } from '../secrets/secret-place.ts';

type Flags = FlagValues & ConnectionFlags & OutputFlags & WriteFlags & SecretFlags;

interface Making {
  readonly operation: Extract<OperationId, 'webhooks.create' | 'webhooks.rotate'>;
  readonly brief: string;
  readonly done: string;
  readonly overrides: FieldOverrides;
  readonly examples: readonly [string, ...string[]];
  /** Whether the webhook is there already and is named. */
  readonly named: boolean;
}

/** What makes a secret of a webhook: told once, to a file, the terminal, or whoever asks for the object as data. */
function makesSecret(making: Making): Command<CliContext> {
  const fromContract = contractFlags(making.operation, 'body', making.overrides);
  return buildCommand<Flags, string[], CliContext>({
    async func(flags, id) {
      const { host } = this;
      const body = await fromContract.read(flags, host);
      await withAdmin(host, flags, async (admin) => {
        const input = { params: making.named ? { id } : {}, body };
        if (!(await mayProceed(this, admin, making.operation, input, { ...flags, yes: true }))) return;
        const place = secretPlaceOf(host, flags);
        const made = (await admin.table.call(making.operation, input).catch((error: unknown) => {
          place?.abandon();
          throw error;
        })) as { readonly body: CreatedWebhook };
        const { secret, ...webhook } = made.body;
        place?.put(secret);
        say(host, `${making.done} ${webhook.id}`);
        if (place?.path !== undefined) say(host, `Its secret is in ${place.path} (mode 0600).`);
        const shown = place === undefined ? made.body : webhook;
        await printObject(host, flags.output, shown, (item) => item.id);
      });
    },
    parameters: {
      positional: {
        kind: 'tuple',
        parameters: making.named ? [{ brief: 'Its id', parse: String, placeholder: 'WEBHOOK' }] : [],
      } as never,
      flags: {
        ...fromContract.parameters,
        ...secretFlags,
        ...writeFlags,
        ...outputFlags,
        ...connectionFlags,
        // The types of the contract's flags are known at run time only.
      } as never,
      aliases: outputAliases,
    },
    docs: { brief: making.brief, customUsage: making.examples },
  });
}

export const webhooksCreate: Command<CliContext> = makesSecret({
  operation: 'webhooks.create',
  brief: 'Have notices sent to a URL; its secret is told only once',
  done: 'Created',
  overrides: {
    url: { placeholder: 'url', brief: 'Where notices go: https' },
    events: {
      flag: 'event',
      brief: 'Which events: *, credential.* or credential.expired; may be repeated',
      repeat: true,
      read: splitWords,
    },
  },
  examples: [
    '--name siem --url https://siem.example/hooks --event credential.* --secret-file siem.whsec',
    '--name chat --url https://chat.example/in --event finding.opened -o json | jq -r .secret',
  ],
  named: false,
});

export const webhooksRotate: Command<CliContext> = makesSecret({
  operation: 'webhooks.rotate',
  brief: 'Make a new secret; for a time the one before signs as well',
  done: 'Rotated',
  overrides: { overlap: { placeholder: 'span', brief: 'How long both sign, at most 30d; 1d when left out' } },
  examples: ['whk_0123456789abcdefghij --overlap 7d --secret-file siem-2.whsec'],
  named: true,
});
