import type { Stores } from '../../storage/storage.ts';
import type { UnregisteredCallerRecord } from '../../storage/unregistered-callers.ts';

/** Calls of somebody behind whom there is no identity. */
export interface UnregisteredRow {
  /** Empty: this authority. */
  readonly issuer: string;
  /** client_id at that issuer; of this authority, the id of the credential. */
  readonly caller: string;
  readonly ok: number;
  readonly denied: number;
}

/** Callers of one resource server that are told apart. */
export const MOST_CALLERS: number = 100;

/** Adds to what is known of them, for a resource server whose reports wait for one another. `at`: epoch ms. */
export async function countUnregistered(
  stores: Pick<Stores, 'unregisteredCallers'>,
  told: { readonly resourceServerId: string; readonly reporterId: string },
  rows: readonly UnregisteredRow[],
  at: number,
): Promise<void> {
  if (rows.length === 0) return;
  const known = new Map(
    (await stores.unregisteredCallers.of(told.resourceServerId)).map((record) => [keyOf(record), record]),
  );
  const changed = new Map<string, UnregisteredCallerRecord>();
  for (const row of rows) {
    const key = keyOf(row);
    const before = known.get(key);
    if (before === undefined && known.size >= MOST_CALLERS) continue;
    const next: UnregisteredCallerRecord = {
      ...told,
      issuer: row.issuer,
      caller: row.caller,
      ok: Math.min((before?.ok ?? 0) + row.ok, Number.MAX_SAFE_INTEGER),
      denied: Math.min((before?.denied ?? 0) + row.denied, Number.MAX_SAFE_INTEGER),
      lastOkAt: row.ok > 0 ? Math.max(before?.lastOkAt ?? 0, at) : before?.lastOkAt,
      firstAt: before?.firstAt ?? at,
      lastAt: Math.max(before?.lastAt ?? 0, at),
    };
    known.set(key, next);
    changed.set(key, next);
  }
  await stores.unregisteredCallers.put([...changed.values()]);
}

function keyOf({ issuer, caller }: { readonly issuer: string; readonly caller: string }): string {
  // Names hold no line break.
  return `${issuer}\n${caller}`;
}
