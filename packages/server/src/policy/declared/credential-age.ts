import type { PolicyRule } from './policy-rule.ts';
import { spanMs } from './span.ts';

export interface CredentialAge {
  readonly max_age: string;
  /** Types; undefined: all. */
  readonly methods?: readonly string[] | undefined;
}

/** Acts at issuance and in the round: what is new is not old. */
export const credentialAge: PolicyRule<CredentialAge> = {
  actsAt: ['issuance', 'round'],
  breaches({ credentials }, { max_age: maxAge, methods }) {
    return credentials
      .filter(({ type }) => methods === undefined || methods.includes(type))
      .map(({ id, type, createdAt }) => ({
        subject: 'credential',
        subjectId: id,
        why: `is a ${type} older than ${maxAge}`,
        from: createdAt + spanMs(maxAge) + 1,
      }));
  },
};
