import type { Judged } from '../../policy/declared/judge.ts';
import type { Detector } from './detector.ts';
import { severityOf } from './policy-breach.ts';
import { fixOf } from './policy-fix.ts';

const DAY_MS = 86_400_000;
/** So long before its end, and after it. */
const NEAR_MS = 14 * DAY_MS;

/** An exception is about to end, or has ended, and what it was made for is still there. */
export const policyExceptionEnding: Detector = {
  kind: 'policy_exception_ending',
  quietMs: 0,
  observe(facts, { now, policies }) {
    if (policies === undefined) return [];
    const near = policies.broken.flatMap((judged) => {
      const end = policies.excepted.get(judged.policy.id);
      return end === undefined || Math.abs(end - now) > NEAR_MS ? [] : [{ judged, end }];
    });
    const [first] = near.toSorted((left, right) => left.end - right.end);
    if (first === undefined) return [];
    return [
      {
        subject: 'identity',
        subjectId: facts.identity.id,
        severity: severityOf(first.judged),
        reason: near.map(({ judged, end }) => saying(judged, end, now)).join('; '),
        fix: fixOf(facts, first.judged),
      },
    ];
  },
};

function saying({ policy, breach }: Judged, end: number, now: number): string {
  const day = new Date(end).toISOString().slice(0, 10);
  const ends = end > now ? `ends on ${day}` : `ended on ${day}`;
  return `its exception from the policy "${policy.name}" ${ends}, and the ${breach.subject} ${breach.why}`;
}
