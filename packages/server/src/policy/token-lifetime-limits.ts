import { type LifetimeLimits, parseLimits, spanSeconds } from './limit-table.ts';
import type { IssuanceFacts, Rule, Verdict } from './rule.ts';

const ALLOW: Verdict = { kind: 'allow' };
const SENSITIVITY = /^sensitivity-([0-3])=(.+)$/;
const LEVELS = 4;

/** The weaker the proof, the rougher the place and the more sensitive the scope, the shorter the token. */
export const tokenLifetimeLimits: Rule = {
  id: 'token-lifetime-limits',
  evaluate(facts) {
    const { lifetimeLimits: limits } = facts;
    if (limits === undefined) return ALLOW;
    const byCredential = limits.byCredential.get(facts.environment)?.get(facts.credentialType);
    const bySensitivity =
      limits.bySensitivity.length === 0 ? undefined : ofScopes(limits.bySensitivity, facts);
    const lifetime = Math.min(byCredential ?? Infinity, bySensitivity ?? Infinity);
    return lifetime === Infinity ? ALLOW : { kind: 'limit', lifetime };
  },
};

function ofScopes(
  limits: LifetimeLimits['bySensitivity'],
  { scopes, definedScopes }: IssuanceFacts,
): number | undefined {
  let most = 0;
  for (const { name, sensitivity } of definedScopes) {
    if (sensitivity > most && scopes.includes(name)) most = sensitivity;
  }
  return limits[most];
}

/**
 * Reads `type@environment=span` and `sensitivity-N=span`. What is more sensitive lives no longer than what is less, whether
 * or not it was said. Undefined limits for no entries: nothing is asked for any token then.
 */
export function parseLifetimeLimits(
  entries: readonly string[],
  types: readonly string[],
  environments: readonly string[],
):
  | { readonly ok: true; readonly limits: LifetimeLimits | undefined }
  | { readonly ok: false; readonly entry: string } {
  if (entries.length === 0) return { ok: true, limits: undefined };
  const levels: number[] = [];
  for (const entry of entries.filter((each) => SENSITIVITY.test(each))) {
    const [, level, span] = SENSITIVITY.exec(entry) ?? [];
    const seconds = spanSeconds(span);
    if (seconds === undefined) return { ok: false, entry };
    levels[Number(level)] = Math.min(seconds, levels[Number(level)] ?? seconds);
  }
  const read = parseLimits(
    entries.filter((each) => !SENSITIVITY.test(each)),
    types,
    environments,
  );
  if (!read.ok) return read;
  return { ok: true, limits: { byCredential: read.limits, bySensitivity: descending(levels) } };
}

/** Sensitivities from which on a token lives shorter. */
export function levelsThatCount(limits: LifetimeLimits | undefined): readonly number[] {
  const spans = (limits?.bySensitivity ?? []).map((span) => span ?? Infinity);
  return spans.flatMap((span, level) => (span < (spans[level - 1] ?? Infinity) ? [level] : []));
}

function descending(levels: readonly (number | undefined)[]): readonly (number | undefined)[] {
  if (levels.length === 0) return [];
  let least: number | undefined;
  return Array.from({ length: LEVELS }, (_, level) => {
    const own = levels[level];
    if (own !== undefined) least = Math.min(own, least ?? own);
    return least;
  });
}
