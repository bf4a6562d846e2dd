import { resolve } from 'node:path';
import type { CreatedCredential } from '@countersign/admin-api';
import type { AdminConnection, TableInput } from '../connection/admin.ts';
import { type CliContext, say } from '../context.ts';
import { usageError } from '../failure.ts';
import type { OutputFlags } from '../flags/output.ts';
import type { Host } from '../host.ts';
import type { FlagParameter } from '../noun/contract-flags.ts';
import { printObject } from '../output/formats.ts';
import { openSecretPlace, type SecretPlace } from './secret-place.ts';

/** Where the secret of a credential that is made goes. */
export interface SecretFlags {
  readonly secretFile?: string | undefined;
  readonly showSecret: boolean;
}

export const secretFlags: Readonly<Record<keyof SecretFlags, FlagParameter>> = {
  secretFile: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'file',
    brief: 'Where the secret goes (mode 0600)',
  },
  showSecret: {
    kind: 'boolean',
    default: false,
    withNegated: false,
    brief: 'Show the secret once on the terminal',
  },
};

/** Types of which a secret is made. */
export const WITH_SECRET: ReadonlySet<unknown> = new Set(['client_secret', 'api_key']);

/** A file or the terminal; scripts that ask for the object as data get the secret in it. */
export function secretPlaceOf(host: Host, flags: SecretFlags & OutputFlags): SecretPlace | undefined {
  if (flags.secretFile !== undefined || flags.showSecret) {
    return openSecretPlace(host, flags, resolve(host.cwd, flags.secretFile ?? ''));
  }
  if (flags.output === 'json' || flags.output === 'yaml' || flags.output === 'ndjson') return undefined;
  throw usageError(
    'Where should the secret go? It is told only once.',
    'Add --secret-file FILE, --show-secret on a terminal, or -o json.',
  );
}

/** Has it made, puts its secret in its place and shows the rest. */
export async function printCreated(
  { host }: CliContext,
  admin: AdminConnection,
  operation: 'credentials.create' | 'credentials.rotate',
  input: TableInput,
  { flags, place }: { readonly flags: OutputFlags; readonly place: SecretPlace | undefined },
): Promise<void> {
  const created = (await admin.table.call(operation, input).catch((error: unknown) => {
    place?.abandon();
    throw error;
  })) as { readonly body: CreatedCredential };
  const { secret, hint, ...credential } = created.body;
  if (secret !== undefined) place?.put(secret);
  say(host, `Created ${credential.id}`);
  if (hint !== undefined) say(host, hint);
  if (place?.path !== undefined) say(host, `Its secret is in ${place.path} (mode 0600).`);
  const shown = place === undefined ? created.body : credential;
  await printObject(host, flags.output, shown, (item) => item.id);
}
