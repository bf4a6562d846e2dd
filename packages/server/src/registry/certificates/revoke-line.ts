// A certificate and what was renewed from it: docs/decisions/0071-what-was-renewed-from-a-certificate-ends-with-it.md.
import type { CertificateRecord } from '../../storage/certificates.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { cutOffTokensOf } from '../cut-off.ts';
import { RegistryRefusal } from '../refusal.ts';
import { revokeDescendants } from './revoke-descendants.ts';
import { type AskedRevocation, revokeCertificate } from './revoke.ts';

type LineStores = Pick<Stores, 'certificates' | 'credentials' | 'cutoffs' | 'statusIndexes' | 'staleness'>;

export interface AskedLineRevocation extends AskedRevocation {
  /** `all`, which is the default: what was renewed from it goes with it, since a thief could have done that. */
  readonly descendants?: 'all' | 'none' | undefined;
}

/**
 * Revokes a certificate, in the caller's transaction, and unless it is told otherwise what was renewed from it; tokens of their
 * credentials are cut off, since nobody can tell which of them it got. Of one that has ended only what was renewed from it is left to end.
 */
export async function revokeLine(
  deps: RuleDeps,
  stores: LineStores,
  tell: Tell,
  identity: IdentityRecord,
  record: CertificateRecord,
  { descendants = 'all', ...asked }: AskedLineRevocation,
): Promise<CertificateRecord> {
  const hasEnded = record.notAfter < deps.clock.now();
  const next =
    hasEnded && descendants === 'all'
      ? record
      : await revokeCertificate(deps, stores, tell, identity, record, asked);
  const touched = new Set(next === record ? [] : [record.credentialId]);
  if (descendants === 'all') {
    const more = await revokeDescendants(deps, stores, tell, identity, { certificateId: record.id }, asked);
    if (more.length === 0 && hasEnded)
      throw new RegistryRefusal(
        'illegal_transition',
        'the certificate, and all renewed from it, has ended already',
      );
    for (const id of more) touched.add(id);
  }
  for (const credentialId of touched) {
    const order = { credentialId, reason: asked.reason, orderedBy: asked.actor.identity };
    await cutOffTokensOf(deps, stores, tell, order);
  }
  return next;
}
