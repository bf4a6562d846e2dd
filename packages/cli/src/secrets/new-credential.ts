import type { CreatedCredential } from '@countersign/admin-api';
import type { AdminConnection } from '../connection/admin.ts';
import type { TableInput } from '../connection/admin-table.ts';
import { type CliContext, say } from '../context.ts';
import type { OutputFlags } from '../flags/output.ts';
import { printObject } from '../output/formats.ts';
import type { SecretPlace } from './secret-place.ts';

/** Types of which a secret is made. */
export const WITH_SECRET: ReadonlySet<unknown> = new Set(['client_secret', 'api_key']);

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
