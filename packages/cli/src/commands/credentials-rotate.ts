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
import { PROOF_FLAGS } from '../flags/proof.ts';
import { contractFlags, type FlagValues } from '../noun/contract-flags.ts';
import { namingFlags } from '../noun/naming-flags.ts';
import { mayProceed } from '../noun/write.ts';
import { printCreated, WITH_SECRET } from '../secrets/new-credential.ts';
import { secretFlags, type SecretFlags, secretPlaceOf } from '../secrets/secret-place.ts';

const fromContract = contractFlags('credentials.rotate', 'body', {
  ...PROOF_FLAGS,
  overlap: { placeholder: 'span', brief: 'For how long both are there at most, such as 7d' },
  label: { brief: 'Of the new one' },
  expires_at: { brief: 'When the new one ends' },
});

type Flags = FlagValues & ConnectionFlags & OutputFlags & WriteFlags & SecretFlags;

/** The successor of one credential. */
export const credentialsRotate: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, id) {
    const { host } = this;
    const body = await fromContract.read(flags, host);
    await withAdmin(host, flags, async (admin) => {
      const input = { params: { id }, body };
      await namingFlags(fromContract, async () => {
        if (!(await mayProceed(this, admin, 'credentials.rotate', input, { ...flags, yes: true }))) return;
        const { body: old } = await admin.client.call('credentials.get', { params: { id } });
        const place = WITH_SECRET.has(old.type) ? secretPlaceOf(host, flags) : undefined;
        await printCreated(this, admin, 'credentials.rotate', input, { flags, place });
        say(
          host,
          `${id} works on until everybody has moved. Who has not: countersign credentials rotation ${id}`,
        );
      });
    });
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Its id (crd_…)', parse: String, placeholder: 'CREDENTIAL' }],
    },
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
  docs: {
    brief: 'Make its successor; the old one ends by itself once everybody has moved',
    customUsage: [
      'crd_0123456789abcdefghij --secret-file payments-2.secret',
      'crd_0123456789abcdefghij --jwk-file public.jwk --overlap 7d',
      'crd_0123456789abcdefghij --certificate client-2.pem --dry-run',
    ],
  },
});
