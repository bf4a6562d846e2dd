import type { ClaimCode } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { buildNoun } from '../noun/noun-command.ts';
import { devicesClaim } from './devices-claim.ts';
import { devicesCode } from './devices-code.ts';
import { devicesImport } from './devices-import.ts';

export const devices: RouteMap<CliContext> = buildNoun<ClaimCode>(
  {
    name: 'devices',
    brief: 'Devices: many at once, and how each gets its certificate',
    argument: 'CODE',
    moreExamples: [
      'devices import fleet.csv --codes-file fleet.codes',
      'devices code sensor-17 --secret-file sensor-17.code',
      'devices claim --code-file claim.code --key-file device.key --cert-file device.pem',
    ],
    get: 'claim-codes.get',
    none: 'There are no such claim codes.',
    presentation: {
      name: (item) => item.id,
      columns: [
        { header: 'ID', value: (item) => item.id },
        { header: 'IDENTITY', value: (item) => item.client_id },
        { header: 'PUBLIC ID', value: (item) => item.public_id },
        { header: 'STATE', value: (item) => item.state },
        { header: 'USED', value: (item) => item.used_at ?? '' },
        { header: 'EXPIRES', value: (item) => item.expires_at },
      ],
    },
  },
  {
    codes: {
      operation: 'claim-codes.list',
      brief: 'List claim codes, never the codes themselves',
      overrides: {
        identity: { brief: 'Of this one: id, client_id or name' },
        state: { brief: 'In this state' },
      },
      examples: ['--identity sensor-17', '--state open'],
    },
    'revoke-code': {
      operation: 'claim-codes.revoke',
      examples: ['clm_0123456789abcdefghij --yes'],
      done: 'Revoked',
    },
  },
  { import: devicesImport, code: devicesCode, claim: devicesClaim },
);
