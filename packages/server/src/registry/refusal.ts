/** Why the registry does not do what it is asked to. Closed: governance/admin/problem.ts maps every one of them. */
export type RegistryReason =
  | 'unknown_reference'
  | 'unknown_scope'
  | 'already_exists'
  | 'illegal_transition'
  | 'needs_people'
  | 'self_approval'
  | 'not_an_approver'
  | 'content_changed'
  | 'comment_missing'
  | 'still_in_use'
  | 'built_in'
  | 'last_administrator'
  | 'owner_left'
  | 'not_offered'
  | 'end_out_of_range'
  | 'unfitting_settings'
  | 'unacceptable_url'
  | 'unacceptable_key'
  | 'unacceptable_certificate'
  | 'limit_reached'
  | 'exceeds_own_access'
  | 'refused_by_policy'
  | 'policy_test_failed';

export interface RefusalFacts {
  /** JSON Pointer of the member at fault. */
  readonly pointer?: string | undefined;
  /** Id of what is there already. */
  readonly existing?: string | undefined;
}

/** A rule of the registry says no; nothing was changed. The message is for the caller: no secrets, no internals. */
export class RegistryRefusal extends Error {
  readonly reason: RegistryReason;
  readonly facts: RefusalFacts;
  constructor(reason: RegistryReason, message: string, facts: RefusalFacts = {}) {
    super(message);
    this.name = 'RegistryRefusal';
    this.reason = reason;
    this.facts = facts;
  }
}
