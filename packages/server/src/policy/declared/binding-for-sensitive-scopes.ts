import type { AccessHeld, PolicyRule } from './policy-rule.ts';

export interface BindingForSensitiveScopes {
  readonly min_sensitivity?: number | undefined;
  readonly binding?: 'dpop' | 'mtls' | 'any' | undefined;
}

const DEFAULT_LEAST = 2;

/**
 * Acts at a write of an access, at issuance and in the round. An access is in order when it, or its API, asks for the
 * binding; a token that is bound without being asked is issued all the same.
 */
export const bindingForSensitiveScopes: PolicyRule<BindingForSensitiveScopes> = {
  actsAt: ['write', 'issuance', 'round'],
  breaches({ access }, { min_sensitivity: least = DEFAULT_LEAST, binding = 'any' }) {
    return access.flatMap((held) => {
      const scopes = held.scopes.filter(({ sensitivity }) => sensitivity >= least).map(({ name }) => name);
      if (scopes.length === 0 || asks(held, binding)) return [];
      const how = binding === 'any' ? 'a binding' : `binding by ${binding}`;
      const why = `holds ${scopes.join(' ')} without asking for ${how}`;
      return [{ subject: 'access', subjectId: held.id, why, scopes, unlessBound: binding }];
    });
  },
  leastSensitivity: ({ min_sensitivity: least = DEFAULT_LEAST }) => least,
};

function asks({ binding }: AccessHeld, wanted: 'dpop' | 'mtls' | 'any'): boolean {
  return wanted === 'any' ? binding !== undefined : binding === wanted;
}
