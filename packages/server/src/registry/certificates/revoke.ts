import type { Actor } from '../../audit/change.ts';
import type { CertificateRecord, CertificateRevocationReason } from '../../storage/certificates.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { credentialView } from '../credential-view.ts';
import { cutOffTokensOf } from '../cut-off.ts';
import { RegistryRefusal } from '../refusal.ts';
import { isBuiltIn } from './credential-of.ts';
import { certificateView } from './view.ts';

export interface AskedRevocation {
  readonly code: CertificateRevocationReason;
  readonly reason: string;
  readonly actor: Pick<Actor, 'identity'>;
}

/** Revoked ones that have not ended, of one credential: each is compared at every authentication. */
const MOST_REVOKED = 64;

/**
 * Ends the trust in one certificate for ever, in the caller's transaction: the authority refuses it from now on, its next list
 * names it, and tokens of its credential are cut off, since nobody can tell which of them it got. The same record, and no event, when it
 * is revoked already.
 */
export async function revokeCertificate(
  deps: RuleDeps,
  stores: Pick<Stores, 'certificates' | 'credentials' | 'cutoffs' | 'statusIndexes' | 'staleness'>,
  tell: Tell,
  identity: IdentityRecord,
  record: CertificateRecord,
  { code, reason, actor }: AskedRevocation,
): Promise<CertificateRecord> {
  if (record.revoked !== undefined) return record;
  const now = deps.clock.now();
  if (record.notAfter < now)
    throw new RegistryRefusal('illegal_transition', 'the certificate has ended already');
  const next: CertificateRecord = {
    ...record,
    revoked: { at: now, reason: code },
    updatedAt: now,
    version: record.version + 1,
  };
  await stores.certificates.replace(next);
  tell({
    type: 'certificate.revoked',
    resource: record.id,
    reason,
    before: certificateView(record, identity.clientId, now),
    after: certificateView(next, identity.clientId, now),
  });
  await refuseFromNowOn(deps, stores, tell, identity, record);
  await cutOffTokensOf(deps, stores, tell, {
    credentialId: record.credentialId,
    reason,
    orderedBy: actor.identity,
  });
  return next;
}

/** It stands with the credential, which every node knows as it is now: no list has to be asked at an authentication. */
async function refuseFromNowOn(
  deps: RuleDeps,
  stores: Pick<Stores, 'credentials'>,
  tell: Tell,
  identity: IdentityRecord,
  { credentialId, serialNumber, notAfter }: CertificateRecord,
): Promise<void> {
  const now = deps.clock.now();
  const credential = await stores.credentials.hold(credentialId);
  if (credential === undefined || !isBuiltIn(credential)) return;
  const { material } = credential;
  const revoked = (material.revoked ?? []).filter(({ until }) => until >= now);
  if (revoked.length >= MOST_REVOKED) {
    throw new RegistryRefusal(
      'limit_reached',
      `${MOST_REVOKED} certificates of this credential are revoked: revoke the credential itself`,
      { existing: credential.id },
    );
  }
  const after = {
    ...credential,
    material: { ...material, revoked: [...revoked, { serialNumber, until: notAfter }] },
    updatedAt: now,
    version: credential.version + 1,
  };
  await stores.credentials.replace(after);
  tell({
    type: 'credential.updated',
    resource: credential.id,
    before: credentialView(credential, identity.clientId),
    after: credentialView(after, identity.clientId),
  });
}
