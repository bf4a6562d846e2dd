import type { CutoffKind } from '@countersign/protocol';
import type { CutoffState } from './ledger.ts';

/** How many requests a follower refused because of one order, since it started. */
export interface ToldAttempts {
  readonly kind: CutoffKind;
  readonly id: string;
  readonly notBefore: number;
  readonly count: number;
}

/** What one follower told of attempts, by the cursor of the order. */
export interface KnownAttempts {
  readonly told: Map<number, { count: number; at: number; readonly byClients: boolean }>;
  readonly unwritten: Set<number>;
}

/**
 * Orders of which one follower's attempts are told at most; of those about single tokens as many again. Clients give those
 * themselves, by revoking what they have: they must not be able to take the room for attempts after the orders of people.
 */
const MOST_ATTEMPTED = 200;

/** Takes note of what a follower says: `at`, epoch ms. */
export function takeAttempts(
  known: KnownAttempts,
  attempts: readonly ToldAttempts[],
  state: CutoffState,
  at: number,
): void {
  const { told, unwritten } = known;
  for (const { kind, id, notBefore, count } of attempts) {
    const cursor = cursorsOf(state).get(nameOf(kind, id, notBefore));
    if (cursor === undefined || count <= (told.get(cursor)?.count ?? 0)) continue;
    const byClients = kind === 'token';
    if (!told.has(cursor) && !hasRoom(known, byClients, state)) continue;
    told.set(cursor, { count, at, byClients });
    unwritten.add(cursor);
  }
}

function hasRoom({ told, unwritten }: KnownAttempts, byClients: boolean, { entries }: CutoffState): boolean {
  if (told.size < MOST_ATTEMPTED) return true;
  const oldest = entries[0]?.cursor ?? Number.POSITIVE_INFINITY;
  let kept = 0;
  for (const [cursor, each] of told) {
    // Its order no longer matters, and the database keeps the count.
    if (cursor < oldest && !unwritten.has(cursor)) told.delete(cursor);
    else if (each.byClients === byClients) kept++;
  }
  return kept < MOST_ATTEMPTED;
}

/** By what an attempt says of its order: anybody may tell of attempts, and there may be many orders. */
const cursors = new WeakMap<CutoffState, ReadonlyMap<string, number>>();

function cursorsOf(state: CutoffState): ReadonlyMap<string, number> {
  let known = cursors.get(state);
  if (known === undefined) {
    const pairs = state.entries.map(
      ({ cursor, entry }) => [nameOf(entry.kind, entry.id, entry.not_before), cursor] as const,
    );
    cursors.set(state, (known = new Map(pairs)));
  }
  return known;
}

const nameOf = (kind: CutoffKind, id: string, notBefore: number): string => `${kind} ${id} ${notBefore}`;
