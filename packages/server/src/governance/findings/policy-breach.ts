import type { Judged } from '../../policy/declared/judge.ts';
import type { FindingSeverity } from '../../storage/findings.ts';
import type { Detector } from './detector.ts';
import { fixOf } from './policy-fix.ts';

const SEVERITY: Readonly<Record<string, FindingSeverity>> = {
  report: 'low',
  warn: 'medium',
  enforce: 'high',
};
const ASCENDING: readonly FindingSeverity[] = ['low', 'medium', 'high'];

/** Something about it that a declared policy does not allow, and that it is not excepted from. One finding a subject. */
export const policyBreach: Detector = {
  kind: 'policy_breach',
  quietMs: 0,
  observe(facts, { now, policies }) {
    if (policies === undefined) return [];
    const bySubject = new Map<string, Judged[]>();
    for (const judged of policies.broken) {
      if ((policies.excepted.get(judged.policy.id) ?? 0) > now) continue;
      const { subjectId } = judged.breach;
      bySubject.set(subjectId, [...(bySubject.get(subjectId) ?? []), judged]);
    }
    return [...bySubject].flatMap(([subjectId, found]) => {
      const [first] = found.toSorted((left, right) => weightOf(right) - weightOf(left));
      if (first === undefined) return [];
      return [
        {
          subject: first.breach.subject,
          subjectId,
          severity: severityOf(first),
          reason: found.map(saying).join('; '),
          fix: fixOf(facts, first),
        },
      ];
    });
  },
};

export function severityOf({ policy }: Judged): FindingSeverity {
  return SEVERITY[policy.mode] ?? 'low';
}

function weightOf(judged: Judged): number {
  return ASCENDING.indexOf(severityOf(judged));
}

function saying({ policy, breach }: Judged): string {
  return `breaks the policy "${policy.name}" (${policy.rule}, ${policy.mode}): ${breach.why}`;
}
