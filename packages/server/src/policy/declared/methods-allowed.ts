import type { PolicyRule } from './policy-rule.ts';

/** Types of credentials; in which environments, the policy's match says. */
export interface MethodsAllowed {
  readonly methods: readonly string[];
}

/** Acts at a write of a credential, at issuance and in the round. */
export const methodsAllowed: PolicyRule<MethodsAllowed> = {
  actsAt: ['write', 'issuance', 'round'],
  breaches({ identity, credentials }, { methods }) {
    return credentials
      .filter(({ type }) => !methods.includes(type))
      .map(({ id, type }) => ({
        subject: 'credential',
        subjectId: id,
        why: `is a ${type} in ${identity.environment}; allowed are ${methods.join(', ')}`,
      }));
  },
};
