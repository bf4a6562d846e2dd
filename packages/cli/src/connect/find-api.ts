import type { AdminClient, ResourceServer } from '@countersign/admin-api';
import { missing, namingWhatIsMissing } from '../connection/missing-name.ts';
import { CommandFailure } from '../failure.ts';

/** Finds an API by identifier, id, or name where only one has it. */
export async function findApi(client: AdminClient, name: string): Promise<ResourceServer> {
  if (/^rsv_[0-9a-z]{20}$/.test(name) || name.includes(':')) {
    const found = await namingWhatIsMissing(client, 'API', name, () =>
      client.call('resource-servers.get', { params: { id: name } }),
    );
    return found.body;
  }
  const similar: ResourceServer[] = [];
  for await (const item of client.each('resource-servers.list', { query: { text: name } }))
    similar.push(item);
  const exact = similar.filter((item) => item.name === name);
  if (exact.length === 1) return exact[0] as ResourceServer;
  const known = (exact.length > 1 ? exact : similar).map((item) => item.identifier);
  if (exact.length > 1) {
    throw new CommandFailure('usage', `${exact.length} APIs are called ${name}.`, {
      fix: `Name it by its identifier: ${known.join(' or ')}`,
    });
  }
  if (known.length === 0) throw await missing(client, 'API', name, { anyName: true });
  throw new CommandFailure('not_found', `There is no API called ${name}.`, {
    fix: `Did you mean ${known.join(' or ')}?`,
  });
}
