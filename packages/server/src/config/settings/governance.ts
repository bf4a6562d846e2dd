import type { SettingDefinition } from '../setting-definition.ts';

/** What people are asked, and what becomes of what nobody uses. */
export const GOVERNANCE: readonly SettingDefinition[] = [
  {
    name: 'owner-acceptance',
    type: 'string',
    default: 'auto',
    values: ['auto', 'required', 'off'],
    doc: 'Whether who is named as the next owner of an identity has to accept it first. `auto`: once an issuer of kind `people` is trusted, so that there is somebody who can.',
  },
  {
    name: 'approval-validity',
    type: 'duration',
    default: '72h',
    minimum: 3600,
    maximum: 2_592_000,
    doc: 'How long something that needs approval waits for people, and an approval counts.',
  },
  {
    name: 'access-expiring',
    type: 'duration',
    default: '14d',
    minimum: 3600,
    maximum: 7_776_000,
    doc: 'How long before its end an access is shown as expiring.',
  },
  {
    name: 'inactive-identities',
    type: 'string',
    default: 'suspend',
    values: ['suspend', 'report'],
    doc: 'What becomes of an identity that was not used for 30 days, or twice its cadence if that is longer, where use would have been seen. Built-in ones and those of sensitivity 3 are only reported.',
  },
  {
    name: 'suspended-finding-after',
    type: 'duration',
    default: '30d',
    minimum: 86_400,
    maximum: 31_536_000,
    doc: 'After how long an identity that is suspended becomes a finding: end it, or put it back to work.',
  },
  {
    name: 'rollback-window',
    type: 'duration',
    default: '7d',
    minimum: 3600,
    maximum: 7_776_000,
    doc: 'For how long what a proposal took away is watched, and can be given back in one step.',
  },
  {
    name: 'missed-reductions',
    type: 'string',
    default: 'report',
    values: ['report', 'restore'],
    doc: 'What becomes of something that a proposal took away and that is asked for again in its rollback window: a finding, or it is given back by itself, unless a rule asks people first.',
  },
];
