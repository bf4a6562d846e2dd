import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import type { Stores } from '../../storage/storage.ts';

type Classified = Pick<ResourceServerRecord, 'identifier' | 'scopes'>;

/**
 * To call a scope less sensitive than a rule asks for is to loosen the rule: throws by `requireAdmin` unless a person with the role
 * admin does it. docs/decisions/0051-who-makes-a-scope-less-sensitive.md.
 */
export async function requireMayLower(
  stores: Pick<Stores, 'approvalRules'>,
  before: Classified,
  after: Classified,
  requireAdmin: () => void,
): Promise<void> {
  const lowered = before.scopes.flatMap(({ name, sensitivity: was }) => {
    const now = after.scopes.find((scope) => scope.name === name)?.sensitivity ?? was;
    return now < was ? [{ now, was }] : [];
  });
  if (lowered.length === 0) return;
  const rules = await stores.approvalRules.active();
  const asks = rules.some(
    ({ subject, match: { minSensitivity: least, resourceServers } }) =>
      subject === 'access' &&
      least !== undefined &&
      resourceServers?.includes(before.identifier) !== false &&
      lowered.some(({ now, was }) => now < least && was >= least),
  );
  if (asks) requireAdmin();
}
