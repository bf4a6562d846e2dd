// What states are called on screens, and how they look: a mark and a tone beside the word, never a tone alone.
import type {
  AccessState,
  ApprovalState,
  CredentialState,
  FindingKind,
  FindingSeverity,
  FindingState,
  IdentityKind,
  IdentityState,
  PersonStatus,
  ReviewItemState,
  ReviewState,
} from '@countersign/admin-api';

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

export const ACCESS_STATE: Readonly<Record<AccessState, Word>> = {
  requested: warn('Waits for approval'),
  active: good('Active'),
  suspended: bad('Suspended'),
  rejected: calm('Rejected'),
  lapsed: calm('Lapsed'),
  revoked: calm('Revoked'),
  expired: calm('Expired'),
};

export const CREDENTIAL_STATE: Readonly<Record<CredentialState, Word>> = {
  active: good('Active'),
  suspended: bad('Suspended'),
  revoked: calm('Revoked'),
  expired: calm('Expired'),
};

export const APPROVAL_STATE: Readonly<Record<ApprovalState, Word>> = {
  pending: warn('Waits'),
  approved: good('Approved'),
  rejected: bad('Rejected'),
  void: calm('Void'),
  lapsed: calm('Lapsed'),
};

export const REVIEW_STATE: Readonly<Record<ReviewState, Word>> = {
  planned: calm('Planned'),
  starting: calm('Starting'),
  open: warn('Open'),
  overdue: bad('Overdue'),
  completed: good('Completed'),
  closed: calm('Closed'),
};

export const REVIEW_ITEM_STATE: Readonly<Record<ReviewItemState, Word>> = {
  pending: warn('Undecided'),
  kept: good('Kept'),
  reduced: good('Reduced'),
  revoked: good('Revoked'),
  silent: bad('Nobody decided'),
  gone: calm('Gone'),
};

export const PERSON_STATUS: Readonly<Record<PersonStatus, Word>> = {
  active: good('There'),
  leaving: warn('Leaving'),
  left: bad('Has left'),
};

export const FINDING_SEVERITY: Readonly<Record<FindingSeverity, Word>> = {
  high: bad('High'),
  medium: warn('Medium'),
  low: calm('Low'),
};

export const FINDING_STATE: Readonly<Record<FindingState, Word>> = {
  open: warn('Open'),
  accepted: calm('Accepted for a time'),
  resolved: good('Resolved'),
};

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
  authority_ending: 'Authority of certificates ending',
  over_privileged: 'Has more than it uses',
  reduced_but_needed: 'Reduced, but needed',
  identity_sprawl: 'Many identities of one owner',
  credential_sprawl: 'Many credentials',
  unused_credential: 'Unused credential',
  cross_environment_use: 'Used across environments',
  reused_credential: 'Credential used in many places',
  removal_still_used: 'Removed, but still called',
};

/** `held`: of the past, of which use is not answered. */
export type Use = 'used' | 'unused' | 'unknown' | 'held';

/** Whether something is used: "unused" is only said where use would have been seen. */
export const USE: Readonly<Record<Use, { readonly word: string; readonly means: string }>> = {
  used: { word: 'Used', means: 'A call was let through in the last 30 days' },
  unused: { word: 'Unused', means: 'A call would have been seen in the last 30 days, and there was none' },
  unknown: { word: 'Unknown', means: 'Not enough was told to say whether it is used' },
  held: { word: 'Held', means: 'It was held at that instant' },
};

/** State → word, for a choice. */
export function wordsOf(of: Readonly<Record<string, Word>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(of).map(([state, { word }]) => [state, word]));
}
