import { buildCommand, type Command } from '@stricli/core';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import {
  outputAliases,
  type OutputFlags,
  outputFlags,
  type WriteFlags,
  writeFlags,
} from '../flags/output.ts';
import { PROOF_FLAGS, requireProof } from '../flags/proof.ts';
import { contractFlags, type FlagValues } from '../noun/contract-flags.ts';
import { namingFlags } from '../noun/naming-flags.ts';
import { mayProceed } from '../noun/write.ts';
import { printCreated, WITH_SECRET } from '../secrets/new-credential.ts';
import { secretFlags, type SecretFlags, secretPlaceOf } from '../secrets/secret-place.ts';

const fromContract = contractFlags('credentials.create', 'body', {
  ...PROOF_FLAGS,
  type: { brief: 'How it proves itself' },
  resource_server: { placeholder: 'api', brief: 'The only API that an API key opens' },
  scopes: { brief: 'All that an API key opens at most' },
});

type Flags = FlagValues & ConnectionFlags & OutputFlags & WriteFlags & SecretFlags;

export const credentialsCreate: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, identity) {
    const { host } = this;
    const body = await fromContract.read(flags, host);
    requireProof(body, fromContract);
    await withAdmin(host, flags, async (admin) => {
      const input = { params: { id: identity }, body };
      const consent = { ...flags, yes: true };
      await namingFlags(fromContract, async () => {
        if (!(await mayProceed(this, admin, 'credentials.create', input, consent))) return;
        const place = WITH_SECRET.has(body['type']) ? secretPlaceOf(host, flags) : undefined;
        await printCreated(this, admin, 'credentials.create', input, { flags, place });
      });
    });
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
    brief: 'Add a credential to an identity; a secret is told only once',
    customUsage: [
      'payments --type client_secret --secret-file payments-2.secret',
      'payments --type client_secret -o json | jq -r .secret',
      'payments --type private_key_jwt --jwk-file public.jwk --for 365d',
      'payments --type tls_client_auth --issued-by ca.pem --subject-dn CN=payments,O=Example',
      'deploy --type federated --trusted-issuer https://gitlab.com --condition project_id=17 --condition namespace_id=4 --condition ref=main',
      'kiosk --type api_key --resource-server https://fraud.example --scopes fraud:read --for 30d --secret-file kiosk.key',
    ],
  },
});
