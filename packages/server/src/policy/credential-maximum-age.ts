import type { Rule, Verdict } from './rule.ts';

const ALLOW: Verdict = { kind: 'allow' };

/** A credential that is older than its method may be in its environment gets no token, where that is enforced. */
export const credentialMaximumAge: Rule = {
  id: 'credential-maximum-age',
  evaluate({ maximumAge, credentialType, environment, credentialCreatedAt, now }) {
    if (maximumAge === undefined) return ALLOW;
    const tooOld = now - credentialCreatedAt > maximumAge(credentialType, environment);
    return tooOld ? { kind: 'refuse', reason: 'credential_too_old' } : ALLOW;
  },
};
