import { handleKey } from '../../registry/directory/handle.ts';
import type { PersonRecord, PersonStatus } from '../../storage/people.ts';
import type { GiveWay } from '../../telemetry/pacer.ts';

/** One person as an import says; absent stays as it is, null is taken away. */
export interface ImportRow {
  /** Place among the rows, counted from 0. */
  readonly index: number;
  readonly handle: string;
  readonly name?: string | undefined;
  readonly email?: string | null | undefined;
  readonly externalId?: string | null | undefined;
  readonly status?: PersonStatus | undefined;
  readonly managerHandle?: string | null | undefined;
}

/** A row that cannot be taken. */
export interface RowFault {
  readonly index: number;
  readonly member: 'handle' | 'email' | 'external_id';
  readonly detail: string;
}

export interface ImportPlan {
  /** Those that change something, in their order. */
  readonly rows: readonly ImportRow[];
  readonly created: number;
  readonly changed: number;
  readonly unchanged: number;
  /** Handles of who is no longer there: of a complete import only. */
  readonly missing: readonly string[];
  readonly faults: readonly RowFault[];
}

interface Known {
  readonly handle: string;
  readonly name: string;
  readonly email: string | undefined;
  readonly externalId: string | undefined;
  readonly status: PersonStatus;
  readonly managerHandle: string | undefined;
}

/**
 * What an import would do, row by row as it would be carried out: pure, and a row that would be refused then is a fault here.
 * `present` are handles that are there although their rows cannot be taken. Between rows `giveWay` is called.
 */
export async function planImport(
  people: readonly PersonRecord[],
  teams: readonly string[],
  rows: readonly ImportRow[],
  options: { readonly complete: boolean; readonly present: readonly string[]; readonly giveWay: GiveWay },
): Promise<ImportPlan> {
  const byHandle = new Map<string, Known>(people.map((person) => [handleKey(person.handle), person]));
  const byEmail = new Map<string, string>();
  const byKey = new Map<string, string>();
  for (const { handle, email, externalId } of people) {
    if (email !== undefined) byEmail.set(handleKey(email), handleKey(handle));
    if (externalId !== undefined) byKey.set(externalId, handleKey(handle));
  }
  const taken = new Set(teams.map(handleKey));
  const seen = new Set<string>();
  const faults: RowFault[] = [];
  const effective: ImportRow[] = [];
  const count = { created: 0, changed: 0, unchanged: 0 };
  for (const row of rows) {
    await options.giveWay();
    const key = handleKey(row.handle);
    const before = byHandle.get(key);
    const given = options.complete && row.status === undefined ? { ...row, status: stillThere(before) } : row;
    const after = merged(before, given);
    const fault = faultOf(row, key, after, { seen, taken, byEmail, byKey, isNew: before === undefined });
    seen.add(key);
    if (fault !== undefined) {
      faults.push(fault);
      continue;
    }
    if (before?.email !== undefined) byEmail.delete(handleKey(before.email));
    if (before?.externalId !== undefined) byKey.delete(before.externalId);
    if (after.email !== undefined) byEmail.set(handleKey(after.email), key);
    if (after.externalId !== undefined) byKey.set(after.externalId, key);
    byHandle.set(key, after);
    const kind = before === undefined ? 'created' : sameKnown(before, after) ? 'unchanged' : 'changed';
    count[kind]++;
    if (kind !== 'unchanged') effective.push(given);
  }
  for (const handle of options.present) seen.add(handleKey(handle));
  const missing = options.complete
    ? people.filter(({ handle, status }) => status !== 'left' && !seen.has(handleKey(handle)))
    : [];
  return { rows: effective, ...count, missing: missing.map(({ handle }) => handle), faults };
}

/** Whoever a complete list names is there; that they are leaving it need not say. */
function stillThere(before: Known | undefined): PersonStatus {
  return before === undefined || before.status === 'left' ? 'active' : before.status;
}

function merged(before: Known | undefined, row: ImportRow): Known {
  const member = (present: string | undefined, given: string | null | undefined): string | undefined =>
    given === undefined ? present : (given ?? undefined);
  return {
    handle: before?.handle ?? row.handle,
    name: row.name ?? before?.name ?? row.handle,
    email: member(before?.email, row.email),
    externalId: member(before?.externalId, row.externalId),
    status: row.status ?? before?.status ?? 'active',
    managerHandle: member(before?.managerHandle, row.managerHandle),
  };
}

function sameKnown(left: Known, right: Known): boolean {
  return MEMBERS.every((member) => left[member] === right[member]);
}

const MEMBERS = ['name', 'email', 'externalId', 'status', 'managerHandle'] as const;

function faultOf(
  { index, handle }: ImportRow,
  key: string,
  after: Known,
  known: {
    readonly seen: ReadonlySet<string>;
    readonly taken: ReadonlySet<string>;
    readonly byEmail: ReadonlyMap<string, string>;
    readonly byKey: ReadonlyMap<string, string>;
    readonly isNew: boolean;
  },
): RowFault | undefined {
  if (known.seen.has(key)) return { index, member: 'handle', detail: `${handle} stands in a row before` };
  if (known.isNew && known.taken.has(key)) return { index, member: 'handle', detail: `${handle} is a team` };
  const ofEmail = after.email === undefined ? key : (known.byEmail.get(handleKey(after.email)) ?? key);
  if (ofEmail !== key)
    return { index, member: 'email', detail: `${after.email} is the address of ${ofEmail}` };
  const ofKey = after.externalId === undefined ? key : (known.byKey.get(after.externalId) ?? key);
  if (ofKey !== key)
    return { index, member: 'external_id', detail: `${after.externalId} is the key of ${ofKey}` };
  return undefined;
}
