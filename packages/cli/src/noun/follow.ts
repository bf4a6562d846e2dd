import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationId } from '@countersign/admin-api';
import type { AdminTable } from '../connection/admin-table.ts';
import { say } from '../context.ts';
import { failureOf } from '../exit-code.ts';
import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';
import { type OutputFormat, type Presentation, printList } from '../output/formats.ts';
import { tableLines } from '../output/table.ts';
import type { FlagParameter } from './contract-flags.ts';

/** ms between two questions for what is new. */
const EVERY_MS = 1000;

export const followFlag: Readonly<Record<string, FlagParameter>> = {
  follow: {
    kind: 'boolean',
    default: false,
    withNegated: false,
    brief: 'Go on as they happen, until Ctrl-C; from now on, or as --from says',
  },
};

/** A numbered list that only grows at its end. */
export interface Followed {
  readonly table: AdminTable;
  readonly operation: OperationId;
  readonly query: Readonly<Record<string, unknown>>;
  readonly format: OutputFormat;
  readonly presentation: Presentation<object>;
}

/**
 * Prints what is there from `from` on and then what comes, in its order and each once. Ends at Ctrl-C, or when nobody reads on. An authority
 * that is away for a while is asked again, from the same place.
 */
export async function followList(host: Host, followed: Followed): Promise<void> {
  const { table, operation, format, presentation } = followed;
  if (followed.query['to'] !== undefined) throw usageError('--follow has no end.', 'Leave --to out.');
  if (format === 'yaml') throw usageError('--follow prints lines.', 'Take -o table, ndjson or name.');
  const from = followed.query['from'] ?? new Date(host.now()).toISOString();
  const print = linePrinter(host, format, presentation);
  const stopped = new AbortController();
  const release = host.onStopSignal(() => stopped.abort());
  const { signal } = stopped;
  let cursor: string | undefined;
  let last = 0;
  let away = false;
  try {
    while (!signal.aborted && host.stdout.closed !== true) {
      try {
        const query = { ...followed.query, from, ...(cursor === undefined ? {} : { cursor }) };
        const { body } = await table.call(operation, { query, signal });
        const { items, next_cursor: next } = body as Page;
        // The last page is asked for again until it is full: what it had is known by its number.
        const fresh = items.filter(({ seq }) => seq > last);
        last = fresh.at(-1)?.seq ?? last;
        await print(fresh);
        away = false;
        if (next === null) await pause(signal);
        else cursor = next;
      } catch (error) {
        if (signal.aborted) return;
        const { kind, message } = failureOf(error);
        if (kind !== 'unreachable') throw error;
        if (!away) say(host, `${message} It is asked again.`);
        away = true;
        await pause(signal);
      }
    }
  } finally {
    release();
  }
}

interface Page {
  readonly items: readonly { readonly seq: number }[];
  readonly next_cursor: string | null;
}

async function pause(signal: AbortSignal): Promise<void> {
  await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
}

/** A line each; JSON as lines too, for an array would never end. */
function linePrinter(
  host: Host,
  format: OutputFormat,
  presentation: Presentation<object>,
): (items: readonly object[]) => Promise<void> {
  if (format !== 'table') {
    const lines = format === 'json' ? 'ndjson' : format;
    return (items) => printList(host, lines, items, presentation);
  }
  let begun = false;
  return (items) => {
    if (items.length === 0) return Promise.resolve();
    const lines = tableLines(presentation.columns, items, host.stdout.columns);
    for (const line of begun ? lines.slice(1) : lines) host.stdout.write(`${line}\n`);
    begun = true;
    return Promise.resolve();
  };
}
