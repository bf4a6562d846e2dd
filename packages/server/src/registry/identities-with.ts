import type { CredentialFilter, CredentialRecord } from '../storage/credentials.ts';
import type { Position } from '../storage/page.ts';
import type { Stores } from '../storage/storage.ts';

/** Identities, each once, with such a credential that could still be used. */
export async function* identitiesWith(
  stores: Pick<Stores, 'credentials'>,
  filter: Pick<CredentialFilter, 'type' | 'trustedIssuerId'>,
  isMeant: (record: CredentialRecord) => boolean = () => true,
): AsyncGenerator<string> {
  const seen = new Set<string>();
  for (const state of ['active', 'suspended'] as const) {
    let after: Position | undefined;
    do {
      const page = await stores.credentials.list({ ...filter, state }, { limit: 200, after });
      for (const record of page.items) {
        if (seen.has(record.identityId) || !isMeant(record)) continue;
        seen.add(record.identityId);
        yield record.identityId;
      }
      after = page.next;
    } while (after !== undefined);
  }
}
