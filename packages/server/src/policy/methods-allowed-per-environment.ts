import type { Rule } from './rule.ts';

/** Types of credentials that are not taken, by environment. */
export type RefusedMethods = ReadonlyMap<string, ReadonlySet<string>>;

/** A credential of a type that its identity's environment does not take gets no token. */
export const methodsAllowedPerEnvironment: Rule = {
  id: 'methods-allowed-per-environment',
  evaluate(facts) {
    const refused = isRefused(facts.refusedMethods, facts.environment, facts.credentialType);
    return refused ? { kind: 'refuse', reason: 'method_not_allowed' } : { kind: 'allow' };
  },
};

/** The same question when a credential is created: one that could never be used is not made. */
export function isRefused(refused: RefusedMethods, environment: string, type: string): boolean {
  return refused.get(environment)?.has(type) === true;
}

/** Reads `type@environment` pairs, or `none` alone; undefined for the first that is neither. */
export function parseRefusedMethods(
  pairs: readonly string[],
  types: readonly string[],
  environments: readonly string[],
): { readonly ok: true; readonly refused: RefusedMethods } | { readonly ok: false; readonly pair: string } {
  const refused = new Map<string, Set<string>>();
  if (pairs.length === 1 && pairs[0] === 'none') return { ok: true, refused };
  for (const pair of pairs) {
    const [type = '', environment = '', ...rest] = pair.split('@');
    if (!types.includes(type) || !environments.includes(environment) || rest.length > 0) {
      return { ok: false, pair };
    }
    refused.set(environment, (refused.get(environment) ?? new Set()).add(type));
  }
  return { ok: true, refused };
}
