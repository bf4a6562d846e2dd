import { z } from 'zod';
import { operation } from './contract.ts';
import { instant, name, newClientId } from './fields.ts';
import { identityMembers } from './identities.ts';
import { badRow } from './people-import.ts';

/** Rows of one manifest. */
export const MOST_DEVICE_ROWS = 10_000;
const BODY_LIMIT = 12_582_912;
const MOST_CSV = 10_000_000;

/** Columns of a manifest, in any order; `client_id` is needed. */
export const DEVICE_COLUMNS = [
  'client_id',
  'name',
  'environment',
  'purpose',
  'owner_person',
  'owner_backup',
  'owner_team',
  'sensitivity',
  'cadence',
  'expires_at',
] as const;

/** What holds for every row that does not say it itself. */
const defaults = z
  .strictObject({
    environment: identityMembers.environment.optional(),
    purpose: identityMembers.purpose.optional(),
    owner: identityMembers.owner.optional(),
    sensitivity: identityMembers.sensitivity.unwrap().optional(),
    cadence: identityMembers.cadence.unwrap().optional(),
    expires_at: instant.optional(),
  })
  .meta({ id: 'DeviceDefaults' });

export const devicesImport = z
  .strictObject({
    csv: z
      .string()
      .max(MOST_CSV)
      .optional()
      .describe(`RFC 4180 with a header of ${DEVICE_COLUMNS.join(', ')}; an empty cell says nothing`),
    rows: z
      .array(z.record(z.string(), z.unknown()))
      .max(MOST_DEVICE_ROWS)
      .optional()
      .describe('Or the same as objects'),
    defaults: defaults.optional(),
    codes: z
      .boolean()
      .default(true)
      .describe('Make a claim code for each device that has claimed nothing and has no open one'),
    codes_expire_at: instant.optional().describe('At most claim-code-lifetime ahead, which is the default'),
    skip_bad_rows: z.boolean().default(false).describe('Take the others; else one bad row refuses all'),
  })
  .refine((body) => (body.csv === undefined) !== (body.rows === undefined), {
    error: 'needs either csv or rows',
    path: ['csv'],
  })
  .meta({ id: 'DevicesImport' });

export const devicesImported = z
  .object({
    created: z.int(),
    unchanged: z.int().describe('Were there already'),
    waiting: z.int().describe('Wait for approval; they get a code when the manifest comes again'),
    codes: z
      .array(z.object({ client_id: z.string(), identity: z.string(), code: z.string(), expires_at: instant }))
      .describe('New claim codes; shown only here'),
    bad_rows: z.array(badRow).describe('Skipped; the first 100'),
    bad_row_count: z.int(),
  })
  .meta({ id: 'DevicesImported' });
export type DevicesImported = z.output<typeof devicesImported>;

export const deviceOperations = {
  'devices.import': operation({
    method: 'POST',
    path: '/v1/devices/import',
    summary: 'Enter many devices by a manifest; a dry run says what it would do',
    scopes: ['identities:write', 'certificates:write'],
    body: devicesImport,
    response: devicesImported,
    bodyLimit: BODY_LIMIT,
    bodyList: { member: 'rows', most: MOST_DEVICE_ROWS },
  }),
};

/** One device, as a row and the defaults say it together. */
export const deviceRow = z.strictObject({
  client_id: newClientId,
  name: name.optional(),
  ...identityMembers,
  expires_at: instant,
  kind: z.literal('device'),
});
