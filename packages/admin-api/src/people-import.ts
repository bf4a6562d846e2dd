import { z } from 'zod';
import { operation } from './contract.ts';
import { directoryName, email, name, positive, text } from './fields.ts';
import { PERSON_STATUSES } from './people.ts';

/** Rows of one import. */
export const MOST_IMPORT_ROWS = 50_000;
/** Bytes of one: 200 a row, and room for the quoting of JSON. */
const BODY_LIMIT = 12_582_912;
/** Characters of a file; less than what its quoting in JSON may take. */
const MOST_CSV = 10_000_000;

/** Columns of a file, in any order; `handle` is needed. */
export const IMPORT_COLUMNS = ['handle', 'name', 'email', 'external_id', 'status', 'manager'] as const;

/** Absent stays as it is, null is taken away; a new person without a name is called as its handle. */
export const importRow = z
  .strictObject({
    handle: directoryName,
    name: name.optional(),
    email: email.nullable().optional(),
    external_id: text(200).nullable().optional(),
    status: z.enum(PERSON_STATUSES).optional(),
    manager: directoryName.nullable().optional(),
  })
  .meta({ id: 'PersonRow' });
export type PersonRow = z.output<typeof importRow>;

export const peopleImport = z
  .strictObject({
    csv: z
      .string()
      .max(MOST_CSV)
      .optional()
      .describe(`RFC 4180 with a header of ${IMPORT_COLUMNS.join(', ')}; an empty cell takes away`),
    rows: z
      .array(z.record(z.string(), z.unknown()))
      .max(MOST_IMPORT_ROWS)
      .optional()
      .describe('Or the same as objects'),
    complete: z.boolean().default(false).describe('It names everybody: who is missing has left'),
    leavers_at_most: positive(MOST_IMPORT_ROWS)
      .optional()
      .describe('Of a complete one: refused when more would be missing; 10, or a tenth of all, when absent'),
    skip_bad_rows: z.boolean().default(false).describe('Take the others; else one bad row refuses all'),
  })
  .refine((body) => (body.csv === undefined) !== (body.rows === undefined), {
    error: 'needs either csv or rows',
    path: ['csv'],
  })
  .meta({ id: 'PeopleImport' });

export const badRow = z
  .object({
    row: z.int().describe('Counted from 1, without the header'),
    line: z.int().nullable().describe('Of a file, counted from 1'),
    column: z.int().nullable().describe('Of a file, counted from 1'),
    member: z.string().nullable(),
    detail: z.string(),
  })
  .meta({ id: 'BadRow' });
export type BadRow = z.output<typeof badRow>;

export const peopleImported = z
  .object({
    created: z.int(),
    changed: z.int(),
    unchanged: z.int(),
    left: z.int().describe('Missing in a complete import, and left since'),
    bad_rows: z.array(badRow).describe('Skipped; the first 100'),
    bad_row_count: z.int(),
  })
  .meta({ id: 'PeopleImported' });
export type PeopleImported = z.output<typeof peopleImported>;

export const peopleImportOperation = operation({
  method: 'POST',
  path: '/v1/people/import',
  summary: 'Enter and change people by a file or a list; a dry run says what it would do',
  scopes: ['people:write'],
  body: peopleImport,
  response: peopleImported,
  destructive: true,
  bodyLimit: BODY_LIMIT,
  bodyList: { member: 'rows', most: MOST_IMPORT_ROWS },
});
