import { buildCommand, type Command } from '@stricli/core';
import { type AdminConnection, withAdmin } from '../connection/admin.ts';
import { namingWhatIsMissing } from '../connection/missing-name.ts';
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
import { contractFlags, type FlagValues } from '../noun/contract-flags.ts';
import { mayProceed } from '../noun/write.ts';
import { printObject } from '../output/formats.ts';
import { secretFlags, type SecretFlags, secretPlaceOf } from '../secrets/secret-place.ts';

const fromContract = contractFlags('claim-codes.create', 'body', {
  expires_at: { brief: 'Until when it is good' },
});

type Flags = FlagValues & ConnectionFlags & OutputFlags & WriteFlags & SecretFlags;

/** The code is told once, as every secret is. */
export const devicesCode: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, identity) {
    const { host } = this;
    const body = await fromContract.read(flags, host);
    const make = async (admin: AdminConnection): Promise<void> => {
      const input = { params: { id: identity }, body };
      if (!(await mayProceed(this, admin, 'claim-codes.create', input, { ...flags, yes: true }))) return;
      const place = secretPlaceOf(host, flags);
      const made = (await admin.table.call('claim-codes.create', input).catch((error: unknown) => {
        place?.abandon();
        throw error;
      })) as { readonly body: { readonly id: string; readonly code: string; readonly expires_at: string } };
      const { code, ...claimCode } = made.body;
      place?.put(code);
      say(host, `Created ${claimCode.id}, good until ${claimCode.expires_at}`);
      if (place?.path !== undefined) say(host, `The code is in ${place.path} (mode 0600).`);
      await printObject(host, flags.output, place === undefined ? made.body : claimCode, (item) => item.id);
    };
    await withAdmin(host, flags, (admin) =>
      namingWhatIsMissing(admin.client, 'IDENTITY', identity, () => make(admin)),
    );
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Its id (idn_…), client_id or name', parse: String, placeholder: 'IDENTITY' }],
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
    brief: 'Make the one-off code with which a device claims its identity',
    customUsage: ['sensor-17 --secret-file sensor-17.code', 'sensor-17 --for 1d -o json | jq -r .code'],
  },
});
