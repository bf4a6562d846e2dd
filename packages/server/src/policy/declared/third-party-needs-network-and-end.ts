import type { Breach, PolicyRule } from './policy-rule.ts';
import { spanMs } from './span.ts';

export interface ThirdPartyNeedsNetworkAndEnd {
  /** The farthest end of an access, from now. */
  readonly max_end?: string | undefined;
}

const DEFAULT_END = '366d';

/** Acts at a write of an access, at issuance and in the round; on identities of kind third_party only. */
export const thirdPartyNeedsNetworkAndEnd: PolicyRule<ThirdPartyNeedsNetworkAndEnd> = {
  actsAt: ['write', 'issuance', 'round'],
  breaches({ identity, access }, { max_end: maxEnd = DEFAULT_END }) {
    if (identity.kind !== 'third_party') return [];
    return access.flatMap(({ id, networks, expiresAt }) => {
      const late: Breach = {
        subject: 'access',
        subjectId: id,
        why: `of a third party ends later than in ${maxEnd}`,
        until: expiresAt - spanMs(maxEnd),
      };
      if (networks !== undefined && networks.length > 0) return [late];
      const open: Breach = {
        subject: 'access',
        subjectId: id,
        why: 'of a third party is open to every network',
      };
      return [open, late];
    });
  },
};
