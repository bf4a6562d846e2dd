import { RegistryRefusal } from '../../registry/refusal.ts';
import { StorageError } from '../../storage/errors.ts';
import type { Due } from '../../storage/page.ts';

/** Rows of one page, how many of them share a transaction, and how many transactions run at once. */
const PAGE = 500;
const TOGETHER = 5;
const SIDE_BY_SIDE = 2;

/** What a sweep reads and does: pages in the order of their instants. */
export interface Sweep {
  readonly page: (after: Due | undefined, limit: number) => Promise<readonly Due[]>;
  /** In one transaction: all of them, or none. Each is looked at once more in it. */
  readonly carryOut: (ids: readonly string[]) => Promise<void>;
  /** Rows at most. */
  readonly most?: number;
}

/**
 * Carries out what is due, however much has piled up, and says how many rows there were. Some share a transaction, for a commit is
 * what costs; where that fails each has its own. What one row fails with keeps nobody else waiting, and is thrown at the end; but
 * not where another node, or a person, was faster, and not where a rule says no.
 */
export async function sweep(
  { page, carryOut, most = Infinity }: Sweep,
  signal: AbortSignal,
): Promise<number> {
  let after: Due | undefined;
  let seen = 0;
  const failed: unknown[] = [];
  while (seen < most && !signal.aborted) {
    const limit = Math.min(PAGE, most - seen);
    const rows = await page(after, limit);
    seen += rows.length;
    await sideBySide(groupsOf(rows), signal, async (ids) => {
      try {
        await carryOut(ids);
      } catch {
        for (const id of ids) {
          if (signal.aborted || failed.length >= MOST_FAILURES) return;
          await carryOut([id]).catch((error: unknown) => {
            if (!isNoNews(error)) failed.push(error);
          });
        }
      }
    });
    after = rows.at(-1);
    if (rows.length < limit || failed.length >= MOST_FAILURES) break;
  }
  if (failed.length > 0) throw failed[0];
  return seen;
}

/** A database that is gone fails for every row: there is no use in asking for all of them. */
const MOST_FAILURES = 20;

function groupsOf(rows: readonly Due[]): readonly (readonly string[])[] {
  const groups: string[][] = [];
  for (let from = 0; from < rows.length; from += TOGETHER) {
    groups.push(rows.slice(from, from + TOGETHER).map(({ id }) => id));
  }
  return groups;
}

function isNoNews(error: unknown): boolean {
  if (error instanceof RegistryRefusal) return true;
  return error instanceof StorageError && error.fault !== 'unavailable';
}

async function sideBySide<T>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (signal.aborted) return;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, items.length) }, worker));
}
