// What states are called on screens, and how they look: a mark and a tone beside the word, never a tone alone.
import type { FindingKind, IdentityKind, IdentityState } from '@countersign/admin-api';

export type Tone = 'good' | 'warn' | 'bad' | 'calm';

export interface Word {
  readonly word: string;
  readonly tone: Tone;
  /** A shape that can be told apart without colour. */
  readonly mark: string;
}

const good = (word: string): Word => ({ word, tone: 'good', mark: '●' });
const warn = (word: string): Word => ({ word, tone: 'warn', mark: '▲' });
const bad = (word: string): Word => ({ word, tone: 'bad', mark: '■' });
const calm = (word: string): Word => ({ word, tone: 'calm', mark: '○' });

export const IDENTITY_STATE: Readonly<Record<IdentityState, Word>> = {
  draft: calm('Draft'),
  requested: warn('Waits for approval'),
  approved: calm('Approved'),
  active: good('Active'),
  suspended: bad('Suspended'),
  decommissioning: warn('Being decommissioned'),
  decommissioned: calm('Decommissioned'),
  rejected: calm('Rejected'),
  lapsed: calm('Lapsed'),
};

export const IDENTITY_KIND: Readonly<Record<IdentityKind, string>> = {
  service: 'Service',
  job: 'Job',
  pipeline: 'Pipeline',
  device: 'Device',
  gateway: 'Gateway',
  agent: 'Agent',
  third_party: 'Third party',
};

export const ENVIRONMENT = { dev: 'dev', test: 'test', staging: 'staging', prod: 'prod' } as const;

export const FINDING_KIND: Readonly<Record<FindingKind, string>> = {
  weak_method: 'Weak method',
  old_credential: 'Old credential',
  rotation_stalled: 'Rotation stalled',
  wide_access: 'Wide access',
  uncached_client: 'Asks for too many tokens',
  credential_made_while_narrowed: 'Credential made while narrowed',
  shared_key: 'Shared key',
  scope_meaning_changed: 'A scope opens something new',
  unregistered_caller: 'Unregistered caller',
  inactive_identity: 'Inactive',
  long_suspended: 'Long suspended',
  orphaned: 'Without an owner',
  owner_leaving: 'Owner is leaving',
  owner_unknown: 'Owner is unknown',
  owner_lost: 'Owner is lost',
  no_backup: 'No backup owner',
  team_emptied: 'Team is empty',
  policy_breach: 'Breaks a policy',
  policy_exception_ending: 'Exception is ending',
  webhook_disabled: 'Webhook disabled',
  over_privileged: 'Has more than it uses',
  reduced_but_needed: 'Reduced, but needed',
  identity_sprawl: 'Many identities of one owner',
  credential_sprawl: 'Many credentials',
  unused_credential: 'Unused credential',
  cross_environment_use: 'Used across environments',
  reused_credential: 'Credential used in many places',
  removal_still_used: 'Removed, but still called',
};
