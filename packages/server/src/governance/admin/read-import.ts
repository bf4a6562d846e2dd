import {
  type BodyOf,
  type BadRow,
  IMPORT_COLUMNS,
  importRow,
  MOST_IMPORT_ROWS,
  withoutGuard,
} from '@countersign/admin-api';
import type { GiveWay } from '../../telemetry/pacer.ts';
import { type CsvRecord, readCsv } from '../owners/csv.ts';
import type { ImportRow } from '../owners/import-plan.ts';
import { ProblemError } from './problem.ts';

/** The rows of an import as it was sent; what cannot be read is named by line and column. */
export interface ReadImport {
  readonly rows: readonly ImportRow[];
  readonly bad: readonly BadRow[];
  /** Handles that could be read in rows that are bad. */
  readonly present: readonly string[];
  /** A bad row of which it cannot be said whom it is about. */
  readonly nameless: boolean;
  /** Where a row stood, for who finds a fault in it later. */
  place(index: number, member: string): Pick<BadRow, 'row' | 'line' | 'column'>;
}

type Sent = Pick<BodyOf<'people.import'>, 'csv' | 'rows'>;

/** Throws a `ProblemError` when nothing of it can be read. Between rows `giveWay` is called. */
export async function readImport(sent: Sent, giveWay: GiveWay): Promise<ReadImport> {
  return sent.csv === undefined
    ? await readRows(sent.rows ?? [], giveWay)
    : await readFile(sent.csv, giveWay);
}

async function readRows(
  given: readonly Readonly<Record<string, unknown>>[],
  giveWay: GiveWay,
): Promise<ReadImport> {
  const place = (index: number): Pick<BadRow, 'row' | 'line' | 'column'> => ({
    row: index + 1,
    line: null,
    column: null,
  });
  return await collect(
    given.map((row, index) => ({ index, row })),
    place,
    giveWay,
  );
}

async function readFile(csv: string, giveWay: GiveWay): Promise<ReadImport> {
  const reading = await readCsv(csv, MOST_IMPORT_ROWS + 1, giveWay);
  if (!reading.ok) throw refused(`line ${reading.line}: ${reading.detail}`);
  const [header, ...records] = reading.records;
  const columns = columnsOf(header);
  const place = (index: number, member: string): Pick<BadRow, 'row' | 'line' | 'column'> => {
    const column = columns.indexOf(member as (typeof columns)[number]);
    return { row: index + 1, line: records[index]?.line ?? null, column: column === -1 ? null : column + 1 };
  };
  const bad: BadRow[] = [];
  const rows: { index: number; row: Readonly<Record<string, unknown>> }[] = [];
  const present: string[] = [];
  let nameless = false;
  for (const [index, record] of records.entries()) {
    await giveWay();
    const fault = faultOf(record, columns.length);
    const row = Object.fromEntries(columns.flatMap((column, at) => cellOf(column, record.fields[at])));
    if (fault === undefined) {
      rows.push({ index, row });
      continue;
    }
    bad.push({ row: index + 1, line: record.line, column: fault.column, member: null, detail: fault.detail });
    // Of a row in which fields are missing or too many, none is sure to be what it seems.
    nameless = true;
  }
  const read = await collect(rows, place, giveWay);
  return {
    ...read,
    bad: [...bad, ...read.bad].toSorted((left, right) => left.row - right.row),
    present: [...present, ...read.present],
    nameless: nameless || read.nameless,
  };
}

function columnsOf(header: CsvRecord | undefined): readonly (typeof IMPORT_COLUMNS)[number][] {
  if (header === undefined) throw refused('line 1: a header is needed');
  const names = header.fields.map((field) => field.trim());
  for (const [at, name] of names.entries()) {
    const where = `line ${header.line}, column ${at + 1}: `;
    if (!(IMPORT_COLUMNS as readonly string[]).includes(name))
      throw refused(
        `${where}there is no column ${name.slice(0, 50)}; there are ${IMPORT_COLUMNS.join(', ')}`,
      );
    if (names.indexOf(name) !== at) throw refused(`${where}the column ${name} stands twice`);
  }
  if (!names.includes('handle')) throw refused(`line ${header.line}: the column handle is needed`);
  return names as (typeof IMPORT_COLUMNS)[number][];
}

function faultOf(
  { fields, fault }: CsvRecord,
  columns: number,
): { column: number; detail: string } | undefined {
  if (fault !== undefined) return fault;
  if (fields.length === columns) return undefined;
  const column = Math.min(fields.length, columns) + (fields.length > columns ? 1 : 0);
  return { column, detail: `has ${fields.length} fields where the header has ${columns}` };
}

const NEVER_EMPTY: ReadonlySet<string> = new Set(['handle', 'name', 'status']);

/** An empty cell takes away, where there may be nothing; elsewhere it says nothing. */
function cellOf(column: string, cell: string | undefined): readonly (readonly [string, unknown])[] {
  if (cell === undefined) return [];
  if (cell === '')
    return column === 'handle' ? [[column, '']] : NEVER_EMPTY.has(column) ? [] : [[column, null]];
  return [[column, withoutGuard(cell)]];
}

async function collect(
  given: readonly { readonly index: number; readonly row: Readonly<Record<string, unknown>> }[],
  place: ReadImport['place'],
  giveWay: GiveWay,
): Promise<ReadImport> {
  const rows: ImportRow[] = [];
  const bad: BadRow[] = [];
  const present: string[] = [];
  let nameless = false;
  for (const { index, row } of given) {
    await giveWay();
    const parsed = importRow.safeParse(row);
    if (parsed.success) {
      const { external_id: externalId, manager: managerHandle, ...rest } = parsed.data;
      rows.push({ index, ...rest, externalId, managerHandle });
      continue;
    }
    const [issue] = parsed.error.issues;
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const member = String(unknown ?? issue?.path[0] ?? '').slice(0, 50);
    const detail = unknown === undefined ? (issue?.message ?? 'cannot be taken') : 'is not known here';
    bad.push({ ...place(index, member), member: member === '' ? null : member, detail });
    const { handle } = row;
    if (member === 'handle' || typeof handle !== 'string') nameless = true;
    else present.push(handle);
  }
  return { rows, bad, present, nameless, place };
}

function refused(detail: string): ProblemError {
  return new ProblemError('validation_failed', { detail, errors: [{ pointer: '/csv', detail }] });
}
