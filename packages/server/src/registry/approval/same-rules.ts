import type { Actor } from '../../audit/change.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import { heldOf } from '../access-ends.ts';
import { RegistryRefusal } from '../refusal.ts';
import { accessFacts, identityFacts } from './content.ts';
import { isAuthority } from './party.ts';
import { type AskedFacts, matches } from './requirement.ts';

/**
 * Nobody gets past a rule by making something where none matches and moving it to where one does: throws unless the rules
 * that match the identity and all it has access to after the change matched before it, too. What has not gone to work yet
 * is asked for as a whole later.
 */
export async function requireSameRules(
  stores: Pick<Stores, 'approvalRules' | 'access' | 'resourceServers'>,
  before: IdentityRecord,
  after: IdentityRecord,
  by: Actor,
): Promise<void> {
  if (isAuthority(by)) return;
  const rules = await stores.approvalRules.active();
  if (rules.length === 0) return;
  const pairs: (readonly [AskedFacts, AskedFacts])[] = [];
  if (STANDING.has(before.state)) pairs.push([identityFacts(before), identityFacts(after)]);
  for (const { resourceServerId, scopes } of await heldOf(stores, before.id)) {
    const resourceServer = await stores.resourceServers.byId(resourceServerId);
    if (resourceServer === undefined) continue;
    pairs.push([
      accessFacts(scopes, { identity: before, resourceServer }),
      accessFacts(scopes, { identity: after, resourceServer }),
    ]);
  }
  for (const rule of rules) {
    if (pairs.some(([was, is]) => matches(rule, is) && !matches(rule, was))) {
      throw new RegistryRefusal(
        'illegal_transition',
        `there the rule ${rule.name} asks for an approval that it does not have: make a new identity there`,
        { pointer: '/environment' },
      );
    }
  }
}

const STANDING: ReadonlySet<IdentityRecord['state']> = new Set(['approved', 'active', 'suspended']);
