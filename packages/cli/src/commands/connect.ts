import { resolve } from 'node:path';
import { buildCommand, type Command } from '@stricli/core';
import {
  connectDocuments,
  type ConnectPlan,
  type Environment,
  type IdentityKind,
} from '../connect/connect-plan.ts';
import { findApi } from '../connect/find-api.ts';
import { findPresent, requireScopes } from '../connect/find-present.ts';
import { makeConnection, readConnection } from '../connect/make-connection.ts';
import { reportConnection } from '../connect/report.ts';
import { requireFree } from '../secrets/secret-file.ts';
import { openSecretPlace } from '../secrets/secret-place.ts';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { connectionFlags } from '../flags/connection.ts';
import { spanText } from '../flags/time.ts';
import { splitWords } from '../flags/words.ts';
import { printDifference } from '../output/print-difference.ts';
import { LANGUAGES, type Language } from '../snippets/snippets.ts';

interface Flags extends ConnectionFlags {
  readonly to: string;
  readonly scopes: readonly string[];
  readonly owner: string;
  readonly for: string;
  readonly environment?: Environment | undefined;
  readonly kind?: IdentityKind | undefined;
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
      const scopes = splitWords(flags.scopes);
      requireScopes(api, scopes);
      const plan: ConnectPlan = {
        name,
        kind: flags.kind,
        environment: flags.environment,
        owner: flags.owner,
        purpose: flags.purpose,
        justification: flags.justification ?? flags.purpose ?? `Calls ${api.name}`,
        api,
        scopes,
        span: flags.for,
      };
      const documents = connectDocuments(plan, await findPresent(admin.client, plan));
      const difference = await admin.client.preview('apply.run', { body: { documents } });
      const makesSecret = difference.changes.some((change) => change.kind === 'Credential');
      const file = resolve(this.host.cwd, flags.secretFile ?? `${name}.secret`);
      if (flags.dryRun) {
        if (makesSecret && !flags.showSecret) requireFree(file);
        return printDifference(this.host, difference, flags.output === 'json' ? 'json' : 'table', 'stdout');
      }
      const place = makesSecret ? openSecretPlace(this.host, flags, file) : undefined;
      await makeConnection(admin.client, documents, place);
      await reportConnection(this.host, admin, api, await readConnection(admin.client, plan), {
        output: flags.output,
        language: flags.language,
        made: difference.changes.length > 0,
        secret: place === undefined ? { told: 'before', file } : { told: 'now', file: place.path },
      });
    });
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Name of the machine; its client_id', parse: clientIdText, placeholder: 'NAME' }],
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
        optional: true,
        brief: 'Where it runs; dev when left out',
      },
      kind: {
        kind: 'enum',
        values: ['service', 'job', 'pipeline', 'device', 'gateway', 'agent', 'third_party'],
        optional: true,
        brief: 'What it is; a service when left out',
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

function clientIdText(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(text)) {
    throw new Error(`${JSON.stringify(text)} is no client_id: write 1 to 128 of A-Z a-z 0-9 _ -`);
  }
  return text;
}
