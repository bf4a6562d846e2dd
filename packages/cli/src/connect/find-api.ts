import type { AdminClient, ResourceServer } from '@countersign/admin-api';
import { onlyOneCalled } from '../connection/by-name.ts';
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
  const api = await onlyOneCalled(client, 'API', name);
  if (api !== undefined) return api as unknown as ResourceServer;
  const similar: ResourceServer[] = [];
  for await (const item of client.each('resource-servers.list', { query: { text: name } }))
    similar.push(item);
  const known = similar.map((item) => item.identifier);
  if (known.length === 0) throw await missing(client, 'API', name, { anyName: true });
  throw new CommandFailure('not_found', `There is no API called ${name}.`, {
    fix: `Did you mean ${known.join(' or ')}?`,
  });
}
