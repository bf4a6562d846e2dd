import type { Storage } from '../storage/storage.ts';

export interface KnownResourceServers {
  /** The id of the live resource server with this identifier. Never asks the database about one that does not exist. */
  idOf(identifier: string): Promise<string | undefined>;
  close(): void;
}

const PAGE = 200;

/** The identifiers of all resource servers in memory: anybody may ask about any name, and that must cost nothing. */
export function knownResourceServers(
  storage: Pick<Storage, 'resourceServers' | 'onChange'>,
): KnownResourceServers {
  let known: Promise<ReadonlyMap<string, string>> | undefined;
  const close = storage.onChange((change) => {
    if (change.kind === 'resource_server' || change.kind === 'all') known = undefined;
  });

  async function readAll(): Promise<ReadonlyMap<string, string>> {
    const ids = new Map<string, string>();
    let after: Parameters<Storage['resourceServers']['list']>[1]['after'];
    do {
      const page = await storage.resourceServers.list({}, { limit: PAGE, after });
      for (const { identifier, id } of page.items) ids.set(identifier, id);
      after = page.next;
    } while (after !== undefined);
    return ids;
  }

  return {
    async idOf(identifier) {
      const reading = (known ??= readAll());
      try {
        return (await reading).get(identifier);
      } catch (error) {
        if (known === reading) known = undefined;
        throw error;
      }
    },
    close,
  };
}
