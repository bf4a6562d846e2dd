import type { Rule } from './rule.ts';

/**
 * A token lives no longer than the least of server, resource server and access allow, and never past the end of the
 * identity, the credential or the access it stands on.
 */
export const tokenLifetimeCeiling: Rule = {
  id: 'token-lifetime-ceiling',
  evaluate(facts) {
    let lifetime = Math.min(facts.defaultLifetime, facts.maximumLifetime);
    if (facts.resourceServerLifetime !== undefined) {
      lifetime = Math.min(facts.resourceServerLifetime, facts.maximumLifetime);
    }
    if (facts.accessLifetime !== undefined) lifetime = Math.min(lifetime, facts.accessLifetime);
    const end = Math.min(facts.identityExpiresAt, facts.credentialExpiresAt, facts.accessExpiresAt);
    lifetime = Math.min(lifetime, Math.floor(end / 1000) - Math.floor(facts.now / 1000));
    return lifetime < 1 ? { kind: 'refuse', reason: 'lifetime_exhausted' } : { kind: 'limit', lifetime };
  },
};
