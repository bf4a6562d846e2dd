import { actsAt, type Exempt, judge, matches, tokenCeilingOf, type DeclaredPolicy } from './judge.ts';
import type { Breach, PolicyFacts } from './policy-rule.ts';

/** Who refuses, and for what. */
export interface StandingBreach extends Breach {
  readonly policy: string;
  readonly rule: string;
}

/** What enforced policies say of the tokens of one identity: made once for its facts, and true at any instant. */
export interface StandingVerdict {
  readonly breaches: readonly StandingBreach[];
  /** Seconds a token may live at most, and from when on (epoch ms) that holds. */
  readonly ceilings: readonly { readonly from: number; readonly lifetime: number }[];
}

/** Undefined: they say nothing, and nothing is asked for any token. */
export function standingVerdict(
  policies: readonly DeclaredPolicy[],
  facts: PolicyFacts,
  exempt: Exempt,
): StandingVerdict | undefined {
  const enforced = policies.filter((policy) => policy.mode === 'enforce' && actsAt(policy, 'issuance'));
  const breaches = judge(enforced, facts, exempt).map(({ policy, breach }) => ({
    ...breach,
    policy: policy.name,
    rule: policy.rule,
  }));
  const ceilings = enforced.flatMap((policy) => {
    const lifetime = matches(policy.match, facts.identity) ? tokenCeilingOf(policy) : undefined;
    return lifetime === undefined ? [] : [{ from: exempt.get(policy.id) ?? 0, lifetime }];
  });
  return breaches.length === 0 && ceilings.length === 0 ? undefined : { breaches, ceilings };
}
