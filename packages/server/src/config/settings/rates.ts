import type { SettingDefinition } from '../setting-definition.ts';

/** How much one caller may ask for in a minute. */
export const RATES: readonly SettingDefinition[] = [
  {
    name: 'issuance-quota',
    type: 'integer',
    minimum: 1,
    maximum: 1_000_000,
    doc: 'Tokens a minute that one identity may ask for, at each process of the authority. Unset: no quota.',
  },
  {
    name: 'issuance-quota-mode',
    type: 'string',
    default: 'observe',
    values: ['observe', 'enforce'],
    doc: 'Whether what goes beyond `issuance-quota` is only counted (`countersign_over_quota_total`) or refused with 429.',
  },
  {
    name: 'api-key-rate',
    type: 'integer',
    default: '600',
    minimum: 1,
    maximum: 1_000_000,
    doc: 'Exchanges a minute of one API key, at each process of the authority.',
  },
  {
    name: 'failure-limit',
    type: 'integer',
    minimum: 1,
    maximum: 1_000_000,
    doc: 'Failed authentications a minute for one client_id from one network (IPv4 address, IPv6 /64); more get 429 in place of 401. A right credential always passes. Unset: no limit.',
  },
];
