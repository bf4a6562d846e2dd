import { actsAt, type Exempt, judge, matches, tokenCeilingOf, type DeclaredPolicy } from './judge.ts';
import type { Breach, PolicyFacts } from './policy-rule.ts';

/** Who refuses, for what, and between which instants. */
export interface StandingBreach
  extends Pick<Breach, 'subject' | 'subjectId' | 'why' | 'scopes' | 'unlessBound'> {
  readonly policy: string;
  readonly rule: string;
  readonly from: number;
  readonly until: number;
}

/**
 * What enforced policies say of the tokens of one identity: made once for its facts, and true at any instant. Both lists begin
 * with what holds from the earliest instant on: most of what there is to say begins far ahead, and a token looks no further.
 */
export interface StandingVerdict {
  readonly breaches: readonly StandingBreach[];
  /** Seconds a token may live at most, and from when on (epoch ms) that holds. Each is less than those before it. */
  readonly ceilings: readonly StandingCeiling[];
}

interface StandingCeiling {
  readonly from: number;
  readonly lifetime: number;
}

/** Undefined: they say nothing, and nothing is asked for any token. */
export function standingVerdict(
  policies: readonly DeclaredPolicy[],
  facts: PolicyFacts,
  exempt: Exempt,
): StandingVerdict | undefined {
  const enforced = policies.filter((policy) => policy.mode === 'enforce' && actsAt(policy, 'issuance'));
  const breaches = judge(enforced, facts, exempt).map(({ policy, breach }) => standing(policy, breach));
  const ceilings = enforced.flatMap((policy) => {
    const lifetime = matches(policy.match, facts.identity) ? tokenCeilingOf(policy) : undefined;
    return lifetime === undefined ? [] : [{ from: exempt.get(policy.id) ?? 0, lifetime }];
  });
  if (breaches.length === 0 && ceilings.length === 0) return undefined;
  return { breaches: breaches.sort(earliestFirst), ceilings: loweringOnly(ceilings) };
}

/** All with the same members in the same order: what reads them for each token stays optimised for one shape. */
function standing(
  { name, rule }: DeclaredPolicy,
  { subject, subjectId, why, from = 0, until = Infinity, scopes, unlessBound }: Breach,
): StandingBreach {
  return { policy: name, rule, subject, subjectId, why, from, until, scopes, unlessBound };
}

const earliestFirst = (one: { readonly from: number }, other: { readonly from: number }): number =>
  one.from - other.from;

function loweringOnly(ceilings: StandingCeiling[]): readonly StandingCeiling[] {
  let least = Infinity;
  return ceilings
    .sort((one, other) => earliestFirst(one, other) || one.lifetime - other.lifetime)
    .filter(({ lifetime }) => {
      const lowers = lifetime < least;
      if (lowers) least = lifetime;
      return lowers;
    });
}
