import type { Breach, PolicyRule } from './policy-rule.ts';

/** Beside the accountable person, whom nothing is registered without. */
export interface OwnerRequired {
  readonly backup?: boolean | undefined;
  readonly team?: boolean | undefined;
}

/**
 * Acts at a write of an identity and in the round. Not at issuance: when somebody leaves, what becomes of their machines
 * is for the clock that starts then, and a backup who takes over must not stop what they save.
 */
export const ownerRequired: PolicyRule<OwnerRequired> = {
  actsAt: ['write', 'round'],
  breaches({ identity }, { backup = true, team = false }) {
    const found: Breach[] = [];
    const lacks = (what: string): void =>
      void found.push({ subject: 'identity', subjectId: identity.id, why: `has no ${what}` });
    if (backup && identity.backup === undefined) lacks('backup');
    if (team && identity.team === undefined) lacks('team');
    return found;
  },
};
