import { resolve } from 'node:path';
import { buildCommand, type Command } from '@stricli/core';
import {
  connectDocuments,
  type ConnectPlan,
  type Environment,
  type IdentityKind,
} from '../connect/connect-plan.ts';
import { findApi } from '../connect/find-api.ts';
import { makeConnection } from '../connect/make-connection.ts';
import { reportConnection } from '../connect/report.ts';
import { openSecretPlace } from '../secrets/secret-place.ts';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { parseInstant, spanText } from '../flags/time.ts';
import { splitWords } from '../flags/words.ts';
import { printDifference } from '../output/print-difference.ts';
import { LANGUAGES, type Language } from '../snippets/snippets.ts';

interface Flags extends ConnectionFlags {
  readonly to: string;
  readonly scopes: readonly string[];
  readonly owner: string;
  readonly for: string;
  readonly environment: Environment;
  readonly kind: IdentityKind;
  readonly purpose?: string | undefined;
  readonly justification?: string | undefined;
  readonly secretFile?: string | undefined;
  readonly showSecret: boolean;
  readonly language?: Language | undefined;
  readonly output: 'text' | 'json';
  readonly dryRun: boolean;
}

export const connect: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, name) {
    await withAdmin(this.host, flags, async (admin) => {
      const api = await findApi(admin.client, flags.to);
      const purpose = flags.purpose ?? `Calls ${api.name}`;
      const plan: ConnectPlan = {
        name,
        kind: flags.kind,
        environment: flags.environment,
        owner: flags.owner,
        purpose,
        justification: flags.justification ?? purpose,
        api: api.identifier,
        scopes: splitWords(flags.scopes),
        expiresAt: parseInstant(flags.for, this.host.now(), 'ahead'),
      };
      if (flags.dryRun) {
        const difference = await admin.client.preview('apply.run', {
          body: { documents: connectDocuments(plan) },
        });
        return printDifference(this.host, difference, flags.output === 'json' ? 'json' : 'table', 'stdout');
      }
      const file = resolve(this.host.cwd, flags.secretFile ?? `${name}.secret`);
      const place = openSecretPlace(this.host, flags, file);
      const made = await makeConnection(admin.client, plan, place);
      await reportConnection(this.host, admin, api, made, {
        output: flags.output,
        language: flags.language,
        secretFile: place.path,
      });
    });
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Name of the machine; its client_id', parse: String, placeholder: 'NAME' }],
    },
    flags: {
      to: { kind: 'parsed', parse: String, placeholder: 'api', brief: 'API to call: identifier, id or name' },
      scopes: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        placeholder: 'names',
        brief: 'What it may do there, and no more',
      },
      owner: { kind: 'parsed', parse: String, placeholder: 'person', brief: 'Accountable person' },
      for: { kind: 'parsed', parse: spanText, placeholder: 'span', brief: 'How long, such as 90d' },
      environment: {
        kind: 'enum',
        values: ['dev', 'test', 'staging', 'prod'],
        default: 'dev',
        brief: 'Where it runs',
      },
      kind: {
        kind: 'enum',
        values: ['service', 'job', 'pipeline', 'device', 'gateway', 'agent', 'third_party'],
        default: 'service',
        brief: 'What it is',
      },
      purpose: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'text',
        brief: 'What it is there for',
      },
      justification: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'text',
        brief: 'Why it needs this access; its purpose when left out',
      },
      secretFile: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'file',
        brief: 'Where its secret goes (mode 0600); ./NAME.secret when left out',
      },
      showSecret: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Show the secret once on the terminal in place of a file',
      },
      language: {
        kind: 'enum',
        values: LANGUAGES,
        optional: true,
        brief: 'Print the call in this language only',
      },
      output: {
        kind: 'enum',
        values: ['text', 'json'],
        default: 'text',
        brief: 'How to print the answer on stdout',
      },
      dryRun: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Show what would be made and make nothing',
      },
      ...connectionFlags,
    },
    aliases: { o: 'output' },
  },
  docs: {
    brief: 'Let a machine call an API: identity, credential and access in one step, and a working call',
    customUsage: [
      'payments --to fraud --scopes fraud:read --owner ada@example.com --for 90d',
      'nightly-export --to https://ledger.example --scopes ledger:read --owner ada@example.com --for 30d --kind job --environment prod --secret-file /run/secrets/nightly-export',
    ],
  },
});
