import type { StandingBreach } from './declared/standing-verdict.ts';
import type { IssuanceFacts, Rule, Verdict } from './rule.ts';

const ALLOW: Verdict = { kind: 'allow' };

/** Refuses what a declared policy enforces, and shortens what one limits. What there is to say was found out before. */
export const declaredPolicies: Rule = {
  id: 'declared-policies',
  evaluate(facts) {
    const { declared, now } = facts;
    if (declared === undefined) return ALLOW;
    for (const breach of declared.breaches) {
      if (breach.from > now) break;
      if (now < breach.until && concerns(breach, facts)) {
        const { policy, rule, why } = breach;
        return { kind: 'refuse', reason: 'policy_enforced', evidence: { policy, rule, why } };
      }
    }
    let lifetime = Infinity;
    for (const ceiling of declared.ceilings) {
      if (ceiling.from > now) break;
      lifetime = ceiling.lifetime;
    }
    return lifetime === Infinity ? ALLOW : { kind: 'limit', lifetime };
  },
};

function concerns(
  { subject, subjectId, scopes, unlessBound }: StandingBreach,
  { credentialId, accessId, scopes: asked, boundTo }: IssuanceFacts,
): boolean {
  if (subject === 'credential' && subjectId !== credentialId) return false;
  if (subject === 'access' && subjectId !== accessId) return false;
  if (scopes !== undefined && !scopes.some((scope) => asked.includes(scope))) return false;
  if (unlessBound === undefined || boundTo === undefined) return true;
  return unlessBound !== 'any' && unlessBound !== boundTo;
}
