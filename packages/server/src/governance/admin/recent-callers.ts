import type { RecentCallers } from '@countersign/admin-api';
import type { LoggedEvent } from '../../audit/event.ts';
import type { AuditLog } from '../../audit/log.ts';
import { rfc3339 } from '../../registry/views.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';

const DAY_MS = 86_400_000;
const PAGE = 1000;
/** Tokens that are looked at. */
const MOST_TOKENS = 5000;
const MOST_CALLERS = 50;

/** Who got tokens in the day before an identity was last used: whom its end would hit. */
export async function recentCallersOf(
  deps: { readonly storage: Pick<Stores, 'credentialUse'>; readonly log: Pick<AuditLog, 'find'> },
  identity: IdentityRecord,
  now: number,
): Promise<RecentCallers> {
  const lastUsedAt = (await deps.storage.credentialUse.ofIdentities([identity.id])).get(identity.id);
  const from = (lastUsedAt ?? now) - DAY_MS;
  const callers = new Map<string, RecentCallers['callers'][number]>();
  let [afterSeq, seen, more] = [0, 0, lastUsedAt !== undefined];
  while (more && seen < MOST_TOKENS) {
    const filter = { identity: identity.clientId, type: 'token.issued', from };
    const events = await deps.log.find(filter, { afterSeq, limit: PAGE });
    for (const event of events) count(callers, event);
    seen += events.length;
    afterSeq = events.at(-1)?.seq ?? afterSeq;
    more = events.length === PAGE;
  }
  const latest = [...callers.values()].toSorted((left, right) => (left.last_seen < right.last_seen ? 1 : -1));
  return {
    last_used: lastUsedAt === undefined ? null : rfc3339(lastUsedAt),
    from: rfc3339(from),
    complete: !more && latest.length <= MOST_CALLERS,
    callers: latest.slice(0, MOST_CALLERS),
  };
}

function count(callers: Map<string, RecentCallers['callers'][number]>, event: LoggedEvent): void {
  const { resource = null, instance = null, source = null, at } = event;
  const key = JSON.stringify([resource, instance, source]);
  const tokens = (callers.get(key)?.tokens ?? 0) + 1;
  callers.set(key, { resource_server: resource, instance, source, tokens, last_seen: at });
}
