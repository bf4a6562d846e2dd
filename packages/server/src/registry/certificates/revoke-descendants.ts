import type { CertificateLine, CertificateRecord } from '../../storage/certificates.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { type AskedRevocation, type RevocationStores, revokeSeveral } from './revoke.ts';

/** At one look. */
const MOST_AT_ONCE = 1000;

/**
 * Ends the trust in what was renewed from a certificate, or from those of a credential, in the caller's transaction, which holds that
 * credential. Gives the ids of the credentials that they served. A renewal holds the credential that it is proved by until it is written: what is
 * found once all are held is all there is, and all there will be.
 */
export async function revokeDescendants(
  deps: RuleDeps,
  stores: RevocationStores,
  tell: Tell,
  identity: IdentityRecord,
  line: CertificateLine,
  asked: AskedRevocation,
): Promise<readonly string[]> {
  const held = new Set<string>();
  for (;;) {
    const found = await stores.certificates.descendants(line, deps.clock.now(), MOST_AT_ONCE);
    if (found.length === 0) return [...held];
    const serving = byCredential(found);
    const unheld = [...serving.keys()].filter((id) => !held.has(id));
    for (const id of unheld) {
      await stores.credentials.hold(id);
      held.add(id);
    }
    if (unheld.length > 0) continue;
    for (const [id, records] of serving) {
      const credential = await stores.credentials.hold(id);
      if (credential === undefined) throw new TypeError('a certificate serves no credential');
      await revokeSeveral(deps, stores, tell, identity, credential, records, asked);
    }
  }
}

function byCredential(
  records: readonly CertificateRecord[],
): ReadonlyMap<string, readonly CertificateRecord[]> {
  const serving = new Map<string, CertificateRecord[]>();
  for (const record of records) {
    const others = serving.get(record.credentialId);
    if (others === undefined) serving.set(record.credentialId, [record]);
    else others.push(record);
  }
  return serving;
}
