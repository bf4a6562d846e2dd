import type { QueryOf } from '@countersign/admin-api';
import { type AccessUse, useOfAccess } from '../../registry/use/read-use.ts';
import type { AccessFilter, AccessRecord } from '../../storage/access.ts';
import type { Page, Position } from '../../storage/page.ts';
import type { Storage } from '../../storage/storage.ts';
import type { AnswerDeps } from './access-answer.ts';
import { readPosition } from './cursor.ts';
import { DEFAULT_SPAN, queryProblem, spanOf } from './span.ts';

/** Records that one request looks at: a page may be short, or empty, with others behind it. */
const MOST_LOOKED_AT = 1000;

type Reading = Pick<Storage, 'access' | 'usage' | 'usageReporters' | 'coverage'>;

export interface ListedAccess {
  readonly page: Page<AccessRecord>;
  /** By id; undefined for the past, of which nothing is answered. */
  readonly uses: ReadonlyMap<string, AccessUse> | undefined;
}

/** A page of who has access to what, now with what is known of its use. */
export async function listAccess(
  { storage, clock, expiringWithin }: AnswerDeps & { readonly storage: Reading },
  query: QueryOf<'access.list'>,
  ends: Pick<AccessFilter, 'identityId' | 'resourceServerId'>,
): Promise<ListedAccess> {
  const now = clock.now();
  const { used_within: usedWithin, unused_for: unusedFor, limit } = query;
  const expiring = query.state === 'expiring';
  const state = query.state === 'expiring' ? 'active' : query.state;
  const filter: AccessFilter = {
    ...ends,
    scope: query.scope,
    state,
    ...(expiring ? { endsAfter: now, endsBefore: now + expiringWithin } : {}),
  };
  const after = readPosition(query.cursor);
  const asked = usedWithin ?? unusedFor;
  if (query.as_of !== undefined) {
    if (asked !== undefined) throw queryProblem('as_of', 'is not there with used_within and unused_for');
    if (expiring) throw queryProblem('as_of', 'is not there with state=expiring');
    const page = await storage.access.listAsOf(filter, Date.parse(query.as_of), { limit, after });
    return { page, uses: undefined };
  }
  if (usedWithin !== undefined && unusedFor !== undefined) {
    throw queryProblem('unused_for', 'is not there with used_within');
  }
  const parameter = usedWithin === undefined ? 'unused_for' : 'used_within';
  const within = spanOf(asked ?? DEFAULT_SPAN, parameter);
  const usedSince = usedWithin === undefined ? undefined : now - within;
  const notUsedSince = unusedFor === undefined ? undefined : now - within;
  const wanted = { ...filter, usedSince, notUsedSince };
  return unusedFor === undefined
    ? await onePage(storage, wanted, { limit, after }, now, within)
    : await unusedOnes(storage, wanted, { limit, after }, now, within);
}

async function onePage(
  storage: Reading,
  filter: AccessFilter,
  page: { readonly limit: number; readonly after: Position | undefined },
  now: number,
  within: number,
): Promise<ListedAccess & { readonly uses: ReadonlyMap<string, AccessUse> }> {
  const found = await storage.access.list(filter, page);
  return { page: found, uses: await useOfAccess(storage, found.items, now, within) };
}

/** Of those that were not used, those of which that is known. */
async function unusedOnes(
  storage: Reading,
  filter: AccessFilter,
  { limit, after }: { readonly limit: number; readonly after: Position | undefined },
  now: number,
  within: number,
): Promise<ListedAccess> {
  const items: AccessRecord[] = [];
  const uses = new Map<string, AccessUse>();
  let next = after;
  for (let lookedAt = 0; items.length < limit && lookedAt < MOST_LOOKED_AT; lookedAt += limit) {
    const found = await onePage(storage, filter, { limit: limit - items.length, after: next }, now, within);
    for (const record of found.page.items) {
      const use = found.uses.get(record.id) as AccessUse;
      // What is younger has not been there for so long, used or not.
      if (use.window.from > now - within || !isUnused(use, filter.scope)) continue;
      items.push(record);
      uses.set(record.id, use);
    }
    next = found.page.next;
    if (next === undefined) break;
  }
  return { page: next === undefined ? { items } : { items, next }, uses };
}

function isUnused(use: AccessUse, scope: string | undefined): boolean {
  if (scope === undefined) return use.answer === 'unused';
  return use.scopes.find((each) => each.scope === scope)?.answer === 'unused';
}
