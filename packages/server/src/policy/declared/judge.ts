import type { Breach, HolderFacts, PolicyFacts, PolicyMode, PolicyRule, Place } from './policy-rule.ts';
import { DECLARED_RULES, type DeclaredRuleId } from './rules.ts';

/** Which identities a policy is about: all members that are there must hold. */
export interface PolicyMatch {
  readonly environments?: readonly string[] | undefined;
  readonly kinds?: readonly string[] | undefined;
  /** Of the identity. */
  readonly minSensitivity?: number | undefined;
  readonly teams?: readonly string[] | undefined;
}

export interface DeclaredPolicy {
  readonly id: string;
  readonly name: string;
  readonly rule: DeclaredRuleId;
  /** As the rule reads them; checked where they came in. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly mode: PolicyMode;
  readonly match: PolicyMatch;
}

/** Until when (epoch ms) a policy does not count for an identity, by id of the policy. */
export type Exempt = ReadonlyMap<string, number>;

export interface Judged {
  readonly policy: DeclaredPolicy;
  readonly breach: Breach;
}

const NOBODY: Exempt = new Map();

/** What the policies find in these facts, now or at another time; whatever their mode is. */
export function judge(
  policies: readonly DeclaredPolicy[],
  facts: PolicyFacts,
  exempt: Exempt = NOBODY,
): readonly Judged[] {
  return policies.flatMap((policy) => {
    if (!matches(policy.match, facts.identity)) return [];
    const end = exempt.get(policy.id);
    return breachesOf(policy, facts).map((breach) => ({
      policy,
      breach: end === undefined ? breach : { ...breach, from: Math.max(end, breach.from ?? end) },
    }));
  });
}

export function breachesOf(
  { rule, parameters }: Pick<DeclaredPolicy, 'rule' | 'parameters'>,
  facts: PolicyFacts,
): readonly Breach[] {
  return ruleOf(rule).breaches(facts, parameters);
}

export function actsAt({ rule }: Pick<DeclaredPolicy, 'rule'>, place: Place): boolean {
  return ruleOf(rule).actsAt.includes(place);
}

/** Seconds, for identities that it matches. */
export function tokenCeilingOf({ rule, parameters }: DeclaredPolicy): number | undefined {
  return ruleOf(rule).tokenCeiling?.(parameters);
}

/** Undefined: how sensitive a scope is does not matter to it. */
export function leastSensitivityOf({
  rule,
  parameters,
}: Pick<DeclaredPolicy, 'rule' | 'parameters'>): number | undefined {
  return ruleOf(rule).leastSensitivity?.(parameters);
}

export function matches(match: PolicyMatch, identity: HolderFacts): boolean {
  const { environments, kinds, minSensitivity, teams } = match;
  const team = identity.team?.toLowerCase();
  return (
    (environments === undefined || environments.includes(identity.environment)) &&
    (kinds === undefined || kinds.includes(identity.kind)) &&
    (minSensitivity === undefined || identity.sensitivity >= minSensitivity) &&
    (teams === undefined || teams.some((each) => each.toLowerCase() === team))
  );
}

/** Which parameters belong to which rule was checked where they came in. */
function ruleOf(rule: DeclaredRuleId): PolicyRule<Readonly<Record<string, unknown>>> {
  return DECLARED_RULES[rule] as unknown as PolicyRule<Readonly<Record<string, unknown>>>;
}
