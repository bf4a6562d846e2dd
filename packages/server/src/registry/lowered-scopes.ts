import { leastSensitivityOf } from '../policy/declared/judge.ts';
import type { LifetimeLimits } from '../policy/limit-table.ts';
import { levelsThatCount } from '../policy/token-lifetime-limits.ts';
import type { ResourceServerRecord, ScopeDefinition } from '../storage/resource-servers.ts';
import type { Stores } from '../storage/storage.ts';

type ReadStores = Pick<Stores, 'approvalRules' | 'policies' | 'resourceServers'>;
type Classified = Pick<ResourceServerRecord, 'identifier' | 'scopes'>;

/**
 * To call a scope less sensitive than a rule looks at is to loosen the rule: throws by `requireAdmin` unless a person with the
 * role admin does it. A scope that is not among those of `before` is what one of its name was called last for this identifier.
 * docs/decisions/0051-who-makes-a-scope-less-sensitive.md, 0081-what-policies-ask-by-sensitivity.md.
 */
export async function requireMayLower(
  stores: ReadStores,
  limits: LifetimeLimits | undefined,
  before: readonly ScopeDefinition[],
  after: Classified,
  requireAdmin: () => void,
): Promise<void> {
  const present = new Map(before.map(({ name, sensitivity }) => [name, sensitivity]));
  const less = after.scopes.filter(({ name, sensitivity }) => sensitivity < (present.get(name) ?? Infinity));
  if (less.length === 0) return;
  const levels = await levelsAskedFrom(stores, limits, after.identifier);
  for (const { name, sensitivity: now } of less) {
    const above = levels.filter((least) => now < least);
    if (above.length === 0) continue;
    const was = present.get(name) ?? (await stores.resourceServers.lastSensitivity(after.identifier, name));
    if (was !== undefined && above.some((least) => was >= least)) {
      requireAdmin();
      return;
    }
  }
}

/** The sensitivities from which on somebody asks for more. */
async function levelsAskedFrom(
  stores: ReadStores,
  limits: LifetimeLimits | undefined,
  identifier: string,
): Promise<readonly number[]> {
  const rules = (await stores.approvalRules.active()).filter(
    ({ subject, match: { resourceServers } }) =>
      subject === 'access' && resourceServers?.includes(identifier) !== false,
  );
  const policies = (await stores.policies.active()).filter(({ mode }) => mode !== 'off');
  return [
    ...rules.flatMap(({ match }) => match.minSensitivity ?? []),
    ...policies.flatMap((policy) => leastSensitivityOf(policy) ?? []),
    ...levelsThatCount(limits),
  ];
}
