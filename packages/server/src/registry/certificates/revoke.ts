import type { Actor } from '../../audit/change.ts';
import type { CertificateRecord, CertificateRevocationReason } from '../../storage/certificates.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { revokeCredential } from '../credential.ts';
import { credentialView } from '../credential-view.ts';
import { RegistryRefusal } from '../refusal.ts';
import { isBuiltIn } from './credential-of.ts';
import { certificateView } from './view.ts';

export interface AskedRevocation {
  readonly code: CertificateRevocationReason;
  readonly reason: string;
  readonly actor: Pick<Actor, 'identity'>;
}

export type RevocationStores = Pick<Stores, 'certificates' | 'credentials'>;

/** Revoked ones that have not ended, of one credential: each is compared at every authentication. */
const MOST_REVOKED = 64;

/**
 * Ends the trust in one certificate for ever, in the caller's transaction: the authority refuses it from now on, and its next list
 * names it. The same record, and no event, when it is revoked already. What its holder renews at this moment is there before, or
 * is refused after: both hold its credential.
 */
export async function revokeCertificate(
  deps: RuleDeps,
  stores: RevocationStores,
  tell: Tell,
  identity: IdentityRecord,
  record: CertificateRecord,
  asked: AskedRevocation,
): Promise<CertificateRecord> {
  if (record.revoked !== undefined) return record;
  const now = deps.clock.now();
  if (record.notAfter < now)
    throw new RegistryRefusal('illegal_transition', 'the certificate has ended already');
  const credential = await stores.credentials.hold(record.credentialId);
  const next = await markRevoked(deps, stores, tell, identity, record, asked);
  if (credential === undefined || !isBuiltIn(credential)) return next;
  if (roomIn(credential, now) < 1) {
    throw new RegistryRefusal(
      'limit_reached',
      `${MOST_REVOKED} certificates of this credential are revoked: revoke the credential itself`,
      { existing: credential.id },
    );
  }
  await refuseFromNowOn(deps, stores, tell, identity, credential, [record]);
  return next;
}

async function markRevoked(
  deps: RuleDeps,
  stores: Pick<Stores, 'certificates'>,
  tell: Tell,
  identity: IdentityRecord,
  record: CertificateRecord,
  { code, reason }: AskedRevocation,
): Promise<CertificateRecord> {
  const now = deps.clock.now();
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
  return next;
}

/**
 * Ends several certificates of one credential that the caller holds. Where there are too many to be compared one by one it ends the
 * credential: whoever stole a certificate must not become safe by renewing it often.
 */
export async function revokeSeveral(
  deps: RuleDeps,
  stores: RevocationStores,
  tell: Tell,
  identity: IdentityRecord,
  credential: CredentialRecord,
  records: readonly CertificateRecord[],
  asked: AskedRevocation,
): Promise<void> {
  if (roomIn(credential, deps.clock.now()) < records.length) {
    await revokeCredential(deps, stores, tell, identity, credential);
    return;
  }
  for (const record of records) await markRevoked(deps, stores, tell, identity, record, asked);
  await refuseFromNowOn(deps, stores, tell, identity, credential, records);
}

function roomIn(credential: CredentialRecord, now: number): number {
  return MOST_REVOKED - revokedOf(credential, now).length;
}

type Revoked = { readonly serialNumber: string; readonly until: number };

function revokedOf(credential: CredentialRecord, now: number): readonly Revoked[] {
  const revoked = isBuiltIn(credential) ? (credential.material.revoked ?? []) : [];
  return revoked.filter(({ until }) => until >= now);
}

/** They stand with the credential, which every node knows as it is now: no list has to be asked at an authentication. */
async function refuseFromNowOn(
  deps: RuleDeps,
  stores: Pick<Stores, 'credentials'>,
  tell: Tell,
  identity: IdentityRecord,
  credential: CredentialRecord,
  records: readonly CertificateRecord[],
): Promise<void> {
  if (!isBuiltIn(credential)) return;
  const now = deps.clock.now();
  const more = records.map(({ serialNumber, notAfter }) => ({ serialNumber, until: notAfter }));
  const after: CredentialRecord = {
    ...credential,
    material: { ...credential.material, revoked: [...revokedOf(credential, now), ...more] },
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
