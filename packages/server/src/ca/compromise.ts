import { compromise, type RotationDeps } from '../keys/rotation.ts';
import type { CertificateAuthorityRecord } from '../storage/certificate-authorities.ts';
import type { Stores } from '../storage/storage.ts';
import { asRoot, type MakeAuthorityDeps, pendingAuthority, type Tell } from './make-authority.ts';
import { replaceWith } from './replace-authority.ts';
import { rotateAuthorities } from './rotation.ts';
import { authorityView } from './view.ts';

/**
 * Ends the trust in a key that somebody else may hold, in the caller's transaction, and lets another take its place: one that signs
 * tokens or JWT-SVIDs, by its kid; one of an authority of certificates, by the authority's id. False: there is none. Idempotent.
 */
export async function compromiseKey(
  deps: RotationDeps & Pick<MakeAuthorityDeps, 'trustDomain'>,
  stores: Stores,
  id: string,
  tell: Tell,
): Promise<boolean> {
  for (const signingKeys of [stores.signingKeys, stores.svidKeys]) {
    if ((await signingKeys.byKid(id)) === undefined) continue;
    await compromise(deps, { ...stores, signingKeys }, id, tell);
    return true;
  }
  const authority = await stores.certificateAuthorities.byId(id);
  if (authority === undefined) return false;
  if (authority.state !== 'retired' && authority.state !== 'revoked')
    await revokeAuthority(deps, stores, tell, authority);
  return true;
}

/** With a root go those below it: whoever has its key can make more of them. */
async function revokeAuthority(
  deps: MakeAuthorityDeps,
  stores: Pick<Stores, 'certificateAuthorities'>,
  tell: Tell,
  record: CertificateAuthorityRecord,
): Promise<void> {
  const { certificateAuthorities: authorities } = stores;
  const gone = { state: 'revoked', sealedPrivateKey: undefined } as const;
  await replaceWith(deps, stores, tell, record, gone, 'revoked');
  if (record.role === 'root') {
    for (const each of await authorities.live()) {
      if (each.role !== 'issuing' || each.state === 'revoked' || !isBelow(each, record)) continue;
      await replaceWith(deps, stores, tell, each, gone, 'revoked');
    }
    const made = asRoot(deps, await pendingAuthority(deps, 'root', record.alg));
    await authorities.insert(made);
    tell({ type: 'certificate_authority.created', resource: made.id, after: authorityView(made) });
  }
  await rotateAuthorities(deps, stores, tell);
}

function isBelow(
  { above }: CertificateAuthorityRecord,
  { certificate }: CertificateAuthorityRecord,
): boolean {
  return certificate !== undefined && above.endsWith(certificate);
}
