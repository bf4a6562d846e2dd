import type { Breach, PolicyRule } from './policy-rule.ts';
import { spanMs } from './span.ts';

/** Spans. A credential counts from its creation, an access from now: it may be renewed. */
export interface LifetimeCeiling {
  readonly token?: string | undefined;
  readonly credential?: string | undefined;
  readonly access?: string | undefined;
}

/**
 * Acts at a write of a credential or an access, at issuance and in the round. Tokens are not refused for their own
 * lifetime: they are issued for no longer.
 */
export const lifetimeCeiling: PolicyRule<LifetimeCeiling> = {
  actsAt: ['write', 'issuance', 'round'],
  breaches({ credentials, access }, ceiling) {
    const found: Breach[] = [];
    if (ceiling.credential !== undefined) {
      const most = spanMs(ceiling.credential);
      for (const { id, createdAt, expiresAt } of credentials) {
        if (expiresAt - createdAt <= most) continue;
        found.push({ subject: 'credential', subjectId: id, why: `lives longer than ${ceiling.credential}` });
      }
    }
    if (ceiling.access !== undefined) {
      const most = spanMs(ceiling.access);
      for (const { id, expiresAt } of access) {
        const why = `ends later than in ${ceiling.access}`;
        found.push({ subject: 'access', subjectId: id, why, until: expiresAt - most });
      }
    }
    return found;
  },
  tokenCeiling: ({ token }) => (token === undefined ? undefined : spanMs(token) / 1000),
};
