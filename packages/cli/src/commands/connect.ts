import { resolve } from 'node:path';
import { buildCommand, type Command } from '@stricli/core';
import {
  connectDocuments,
  type ConnectPlan,
  type Environment,
  type IdentityKind,
} from '../connect/connect-plan.ts';
import {
  callProof,
  CONNECT_TYPES,
  type ConnectType,
  credentialSpec,
  proofFlags,
} from '../connect/connect-proof.ts';
import { findApi } from '../connect/find-api.ts';
import { findPresent, requireScopes } from '../connect/find-present.ts';
import { makeConnection, readConnection } from '../connect/make-connection.ts';
import { isDevice, reportConnection } from '../connect/report.ts';
import { requireFree } from '../secrets/secret-file.ts';
import { openSecretPlace } from '../secrets/secret-place.ts';
import { withAdmin } from '../connection/admin.ts';
import type { ConnectionFlags } from '../connection/settings.ts';
import type { CliContext } from '../context.ts';
import { CommandFailure, usageError } from '../failure.ts';
import { connectionFlags } from '../flags/connection.ts';
import { spanText } from '../flags/time.ts';
import { splitWords } from '../flags/words.ts';
import type { FlagValues } from '../noun/contract-flags.ts';
import { printDifference } from '../output/print-difference.ts';
import type { CallProof } from '../snippets/call.ts';
import { LANGUAGES, type Language, languagesFor } from '../snippets/snippets.ts';

interface ConnectFlags extends ConnectionFlags {
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
  readonly type?: ConnectType | undefined;
}

type Flags = ConnectFlags & FlagValues;

export const connect: Command<CliContext> = buildCommand<Flags, [string], CliContext>({
  async func(flags, name) {
    await withAdmin(this.host, flags, async (admin) => {
      const api = await findApi(admin.client, flags.to);
      const scopes = splitWords(flags.scopes);
      requireScopes(api, scopes);
      const type = flags.type ?? 'client_secret';
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
        credential: await credentialSpec(this.host, name, type, flags),
      };
      const proof = await callProof(admin.client, name, plan.credential, flags);
      requirePrintable(flags, proof?.by ?? 'secret', isDevice(api));
      const documents = connectDocuments(plan, await findPresent(admin.client, plan));
      const difference = await admin.client.preview('apply.run', { body: { documents } });
      const credentials = difference.changes.filter((change) => change.kind === 'Credential');
      if (credentials.some((change) => change.op !== 'create')) throw wouldReplace(name, type);
      const makesSecret = proof === undefined && credentials.length > 0;
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
        proof,
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
      type: {
        kind: 'enum',
        values: CONNECT_TYPES,
        optional: true,
        brief: 'How it proves itself; by a client secret, which is made, when left out',
      },
      ...proofFlags.parameters,
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
      // The types of the contract's flags are known at run time only.
    } as never,
    aliases: { o: 'output' },
  },
  docs: {
    brief: 'Let a machine call an API: identity, credential and access in one step, and a working call',
    customUsage: [
      'payments --to fraud --scopes fraud:read --owner ada@example.com --for 90d',
      'nightly-export --to https://ledger.example --scopes ledger:read --owner ada@example.com --for 30d --kind job --environment prod --secret-file /run/secrets/nightly-export',
      'ledger-sync --to ledger --scopes ledger:read --owner ada@example.com --for 365d --type private_key_jwt --jwk-file public.pem',
      'deploy --to fraud --scopes fraud:read --owner ada@example.com --for 365d --type federated --trusted-issuer https://gitlab.com --condition project_id=17 --condition namespace_id=4 --condition ref=main --condition ref_protected=true',
    ],
  },
});

function requirePrintable(
  { language, secretFile, showSecret }: ConnectFlags,
  by: CallProof['by'],
  asksInCbor: boolean,
): void {
  if (by !== 'secret' && (secretFile !== undefined || showSecret)) {
    throw usageError('This method has no secret to keep.', 'Leave --secret-file and --show-secret out.');
  }
  const languages = languagesFor(by, asksInCbor);
  if (languages.length === 0) {
    throw usageError(
      'Tokens of this API are asked for in CBOR, which has no place for that proof. Nothing was made.',
      'Take --type client_secret, tls_client_auth or self_signed_tls_client_auth.',
    );
  }
  if (language === undefined || languages.includes(language)) return;
  throw usageError(
    `There is no call in ${language} for this method.`,
    `Take one of --language ${languages.join('|')}, or leave it out.`,
  );
}

/** One under the same label that is another: declared objects would put the new one into its place at once. */
function wouldReplace(name: string, type: ConnectType): CommandFailure {
  return new CommandFailure(
    'conflict',
    `${name} has another credential of that name already, which this one would replace. Nothing was changed.`,
    { fix: `Add it beside: countersign credentials create ${name} --type ${type} …` },
  );
}

function clientIdText(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(text)) {
    throw new Error('It is a client_id: write 1 to 128 of A-Z a-z 0-9 _ -');
  }
  return text;
}
