import type { IssuanceFacts, PolicyReason, Rule } from './rule.ts';

export type Decision =
  | { readonly ok: true /** Seconds. */; readonly lifetime: number }
  | {
      readonly ok: false;
      readonly rule: string;
      readonly reason: PolicyReason;
      readonly evidence?: Readonly<Record<string, string>> | undefined;
    };

/** Every rule is asked; the first refusal stands, else the least lifetime. */
export function evaluate(rules: readonly Rule[], facts: IssuanceFacts): Decision {
  let lifetime = facts.maximumLifetime;
  for (const rule of rules) {
    const verdict = rule.evaluate(facts);
    if (verdict.kind === 'refuse') {
      return { ok: false, rule: rule.id, reason: verdict.reason, evidence: verdict.evidence };
    }
    if (verdict.kind === 'limit') lifetime = Math.min(lifetime, verdict.lifetime);
  }
  return { ok: true, lifetime };
}
