import type { ApprovalRuleRecord, ApprovalStep, ApprovalSubject } from '../../storage/approval-rules.ts';
import type { ApprovalDecisionRecord } from '../../storage/approvals.ts';
import type { Environment, IdentityKind } from '../../storage/identities.ts';

/** What rules look at. */
export interface AskedFacts {
  readonly subject: ApprovalSubject;
  readonly environment: Environment;
  readonly kind: IdentityKind;
  /** Highest of the scopes asked for, or that of the identity. */
  readonly sensitivity: number;
  /** Identifier, of an access. */
  readonly resourceServer: string | undefined;
}

/** What one rule asks of people. */
export interface Requirement {
  /** Its name. */
  readonly rule: string;
  readonly steps: readonly ApprovalStep[];
  readonly ownerMayApprove: boolean;
}

/** Somebody who may decide, as they are at that moment. */
export interface Decider {
  readonly handle: string;
  readonly email?: string | undefined;
  readonly roles: readonly string[];
  readonly teams: readonly string[];
}

export interface StepProgress {
  readonly rule: string;
  /** Counted from 1. */
  readonly step: number;
  readonly asks: ApprovalStep;
  readonly given: number;
}

/** Of what waits for people although no rule asks for it any more, or for a draft that was submitted without one. */
const ONE_APPROVER: Requirement = {
  rule: 'default',
  steps: [{ quorum: 1, roles: ['admin', 'approver'], teams: [], people: [] }],
  ownerMayApprove: true,
};

/** What each of the rules that match asks for; none: nobody has to be asked. */
export function requirementsOf(
  rules: readonly ApprovalRuleRecord[],
  facts: AskedFacts,
): readonly Requirement[] {
  return rules
    .filter((rule) => matches(rule, facts))
    .map(({ name, steps, ownerMayApprove }) => ({ rule: name, steps, ownerMayApprove }));
}

/** The same for what waits already: it never goes through by itself because a rule went away. */
export function standingRequirements(
  rules: readonly ApprovalRuleRecord[],
  facts: AskedFacts,
): readonly Requirement[] {
  const found = requirementsOf(rules, facts);
  return found.length === 0 ? [ONE_APPROVER] : found;
}

export function matches({ subject, match }: ApprovalRuleRecord, facts: AskedFacts): boolean {
  const { environments, kinds, minSensitivity, resourceServers, thirdParty } = match;
  if (subject !== facts.subject) return false;
  if (environments !== undefined && !environments.includes(facts.environment)) return false;
  if (kinds !== undefined && !kinds.includes(facts.kind)) return false;
  if (minSensitivity !== undefined && facts.sensitivity < minSensitivity) return false;
  if (thirdParty !== undefined && thirdParty !== (facts.kind === 'third_party')) return false;
  return (
    resourceServers === undefined ||
    (facts.resourceServer !== undefined && resourceServers.includes(facts.resourceServer))
  );
}

/**
 * How far the approvals carry. An approval counts in every rule, and there for the first step that still lacks one and
 * may ask that person: two steps of one rule are two people.
 */
export function progressOf(
  requirements: readonly Requirement[],
  decisions: readonly ApprovalDecisionRecord[],
): readonly StepProgress[] {
  return requirements.flatMap(({ rule, steps }) => {
    const given = steps.map(() => 0);
    for (const decision of decisions) {
      if (decision.decision !== 'approve') continue;
      const place = openStep(steps, given, decision);
      if (place !== undefined) given[place] = (given[place] ?? 0) + 1;
    }
    return steps.map((asks, place) => ({ rule, step: place + 1, asks, given: given[place] ?? 0 }));
  });
}

export function isComplete(progress: readonly StepProgress[]): boolean {
  return progress.every(({ asks, given }) => given >= asks.quorum);
}

/** Whether an approval of this person would carry what is asked any further. */
export function isAwaited(progress: readonly StepProgress[], decider: Decider): boolean {
  return progress.some(({ asks, given }) => given < asks.quorum && mayDecide(asks, decider));
}

/** Whether this person is asked in any step, filled or not. */
export function isAsked(requirements: readonly Requirement[], decider: Decider): boolean {
  return requirements.some(({ steps }) => steps.some((step) => mayDecide(step, decider)));
}

function openStep(
  steps: readonly ApprovalStep[],
  given: readonly number[],
  decider: Decider,
): number | undefined {
  const place = steps.findIndex((step, at) => (given[at] ?? 0) < step.quorum && mayDecide(step, decider));
  return place === -1 ? undefined : place;
}

function mayDecide(step: ApprovalStep, { handle, email, roles, teams }: Decider): boolean {
  return (
    step.roles.some((role) => roles.includes(role)) ||
    step.teams.some((team) => teams.includes(team)) ||
    step.people.some((name) => isNamed(name, handle) || isNamed(name, email))
  );
}

/** Handles are compared as the directory compares them. */
function isNamed(name: string, handle: string | undefined): boolean {
  return handle !== undefined && name.toLowerCase() === handle.toLowerCase();
}
