import type { StandingBreach } from '../../policy/declared/standing-verdict.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import { readFactsOf } from '../facts-cache.ts';
import { verdictFor } from '../policy/in-force.ts';
import type { PolicyStores } from '../policy/require-policies.ts';

export interface CertificatePolicy {
  /** What refuses a token of this credential now, whatever it is for. */
  readonly refusedBy: StandingBreach | undefined;
  /** From when on (epoch ms) the credential is refused: nothing that serves it lasts longer. */
  readonly endsAt: number;
}

/**
 * What the policies that are enforced now say of a certificate that serves this credential: whoever believes it need not ask the
 * authority, so that it is held to what a token would be held to.
 */
export async function certificatePolicy(
  stores: PolicyStores & Parameters<typeof readFactsOf>[0],
  identity: IdentityRecord,
  credential: CredentialRecord,
  now: number,
): Promise<CertificatePolicy> {
  const enforced = (await stores.policies.active()).filter(({ mode }) => mode === 'enforce');
  if (enforced.length === 0) return { refusedBy: undefined, endsAt: Infinity };
  const verdict = await verdictFor(stores, enforced, await readFactsOf(stores, identity));
  const concerning = (verdict?.breaches ?? []).filter(
    ({ subject, subjectId, scopes }) =>
      scopes === undefined &&
      (subject === 'identity' || (subject === 'credential' && subjectId === credential.id)),
  );
  const coming = concerning.filter(({ subject, from }) => subject === 'credential' && from > now);
  return {
    refusedBy: concerning.find(({ from, until }) => from <= now && now < until),
    endsAt: Math.min(...coming.map(({ from }) => from)),
  };
}
