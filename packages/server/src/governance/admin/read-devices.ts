import {
  type BadRow,
  type BodyOf,
  DEVICE_COLUMNS,
  deviceRow,
  MOST_DEVICE_ROWS,
  withoutGuard,
} from '@countersign/admin-api';
import type { GiveWay } from '../../telemetry/pacer.ts';
import { type CsvRecord, readCsv } from '../owners/csv.ts';
import { ProblemError } from './problem.ts';

type Asked = BodyOf<'devices.import'>;
export type Device = ReturnType<typeof deviceRow.parse>;

export interface PlacedDevice {
  readonly device: Device;
  readonly place: Pick<BadRow, 'row' | 'line' | 'column'>;
}

/** The devices of a manifest, each with the defaults filled in; what cannot be read is named by row, line and column. */
export interface ReadDevices {
  readonly devices: readonly PlacedDevice[];
  readonly bad: readonly BadRow[];
  /** All of them. */
  readonly rows: number;
}

type Row = Readonly<Record<string, unknown>>;

/** Throws a `ProblemError` when nothing of it can be read. Between rows `giveWay` is called. */
export async function readDevices(body: Asked, giveWay: GiveWay): Promise<ReadDevices> {
  const sent = body.csv === undefined ? rowsOf(body.rows ?? []) : await fileOf(body.csv, giveWay);
  const devices: PlacedDevice[] = [];
  const bad: BadRow[] = [...sent.bad];
  const seen = new Set<string>();
  for (const { row, place } of sent.rows) {
    await giveWay();
    const parsed = deviceRow.safeParse(deviceOf(row, body.defaults ?? {}));
    const fault = parsed.success
      ? seen.has(parsed.data.client_id)
        ? { member: 'client_id', detail: 'stands in it twice' }
        : undefined
      : issueOf(parsed.error.issues[0]);
    if (fault !== undefined) bad.push({ ...place(fault.member), ...fault });
    else if (parsed.success) {
      seen.add(parsed.data.client_id);
      devices.push({ device: parsed.data, place: place('client_id') });
    }
  }
  return {
    devices,
    bad: bad.toSorted((left, right) => left.row - right.row),
    rows: sent.rows.length + sent.bad.length,
  };
}

const OWNER = { owner_person: 'person', owner_backup: 'backup', owner_team: 'team' } as const;

/** A row says what it says; the rest the defaults do. */
function deviceOf(row: Row, defaults: NonNullable<Asked['defaults']>): Row {
  const { owner_person, owner_backup, owner_team, sensitivity, ...rest } = row;
  const own = { owner_person, owner_backup, owner_team };
  const owner = Object.fromEntries(
    Object.entries(OWNER).flatMap(([column, member]) => {
      const value = own[column as keyof typeof OWNER];
      return value === undefined ? [] : [[member, value]];
    }),
  );
  const level =
    typeof sensitivity === 'string' && /^[0-3]$/.test(sensitivity) ? Number(sensitivity) : sensitivity;
  return {
    ...defaults,
    ...rest,
    ...(level === undefined ? {} : { sensitivity: level }),
    ...(defaults.owner === undefined && Object.keys(owner).length === 0
      ? {}
      : { owner: { ...defaults.owner, ...owner } }),
    kind: 'device',
  };
}

interface Issue {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
}

/** As the manifest calls it. */
function issueOf(issue: Issue | undefined): { readonly member: string | null; readonly detail: string } {
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys?.[0] : undefined;
  if (unknown !== undefined) return { member: unknown.slice(0, 50), detail: 'is not known here' };
  const [first, second] = issue?.path ?? [];
  const member = first === 'owner' ? `owner_${String(second ?? 'person')}` : String(first ?? '');
  return { member: member === '' ? null : member.slice(0, 50), detail: issue?.message ?? 'cannot be taken' };
}

interface Sent {
  readonly rows: readonly {
    readonly row: Row;
    readonly place: (member: string | null) => Pick<BadRow, 'row' | 'line' | 'column'>;
  }[];
  readonly bad: readonly BadRow[];
}

function rowsOf(given: readonly Row[]): Sent {
  const rows = given.map((row, index) => ({
    row,
    place: () => ({ row: index + 1, line: null, column: null }),
  }));
  return { rows, bad: [] };
}

async function fileOf(csv: string, giveWay: GiveWay): Promise<Sent> {
  const reading = await readCsv(csv, MOST_DEVICE_ROWS + 1, giveWay);
  if (!reading.ok) throw refused(`line ${reading.line}: ${reading.detail}`);
  const [header, ...records] = reading.records;
  const columns = columnsOf(header);
  const rows: Sent['rows'][number][] = [];
  const bad: BadRow[] = [];
  for (const [index, record] of records.entries()) {
    const fault = faultOf(record, columns.length);
    if (fault !== undefined) {
      bad.push({ row: index + 1, line: record.line, member: null, ...fault });
      continue;
    }
    const cells = columns.flatMap((column, at) => {
      const cell = record.fields[at] ?? '';
      return cell === '' ? [] : [[column, withoutGuard(cell)] as const];
    });
    const place = (member: string | null): Pick<BadRow, 'row' | 'line' | 'column'> => {
      const column = columns.indexOf(member ?? '');
      return { row: index + 1, line: record.line, column: column === -1 ? null : column + 1 };
    };
    rows.push({ row: Object.fromEntries(cells), place });
  }
  return { rows, bad };
}

function columnsOf(header: CsvRecord | undefined): readonly string[] {
  if (header === undefined) throw refused('line 1: a header is needed');
  const names = header.fields.map((field) => field.trim());
  for (const [at, name] of names.entries()) {
    const where = `line ${header.line}, column ${at + 1}: `;
    if (!(DEVICE_COLUMNS as readonly string[]).includes(name))
      throw refused(
        `${where}there is no column ${name.slice(0, 50)}; there are ${DEVICE_COLUMNS.join(', ')}`,
      );
    if (names.indexOf(name) !== at) throw refused(`${where}the column ${name} stands twice`);
  }
  if (!names.includes('client_id')) throw refused(`line ${header.line}: the column client_id is needed`);
  return names;
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

function refused(detail: string): ProblemError {
  return new ProblemError('validation_failed', { detail, errors: [{ pointer: '/csv', detail }] });
}
