import type { HeldCertificate } from '@countersign/client';
import type { Host } from '../host.ts';
import { type OutputFormat, printObject } from '../output/formats.ts';

/** Says what a machine holds now, in the names of the endpoint's answer; never the key, which lies in its file. */
export async function tellHeld(
  host: Pick<Host, 'stdout'>,
  format: OutputFormat,
  { clientId, spiffeId, expiresAt, renewAfter }: HeldCertificate,
): Promise<void> {
  const told = { client_id: clientId, spiffe_id: spiffeId, expires_at: expiresAt, renew_after: renewAfter };
  await printObject(host, format, told, ({ client_id }) => client_id);
}
