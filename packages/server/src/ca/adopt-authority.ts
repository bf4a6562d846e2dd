import type { CertificateAuthorityRecord } from '../storage/certificate-authorities.ts';
import type { Stores } from '../storage/storage.ts';
import { type Certificate, certificateOf } from '../x509/certificate.ts';
import { AuthorityRefused } from './authority-refused.ts';
import { derOf, type MakeAuthorityDeps, openAuthority, spkiOf, type Tell } from './make-authority.ts';
import { replaceWith } from './replace-authority.ts';
import { takeCertificate } from './take-authority.ts';

/**
 * Lets the authority issue whose certificate somebody else brings, in the caller's transaction: the one that issued until now keeps signing its
 * revocation list until it has ended. A root of our own above which nothing new is signed is trusted until then, too.
 * Throws `AuthorityRefused`.
 */
export async function adoptAuthority(
  deps: MakeAuthorityDeps,
  stores: Pick<Stores, 'certificateAuthorities'>,
  tell: Tell,
  record: CertificateAuthorityRecord,
  pem: string,
): Promise<CertificateAuthorityRecord> {
  if (record.state !== 'pending') throw new AuthorityRefused('not_pending');
  const live = await stores.certificateAuthorities.live();
  const certified = live.flatMap((each) => {
    if (each.certificate === undefined) return [];
    return [{ record: each, certificate: certificateOf(derOf(each.certificate)) }];
  });
  const revoked = certified.filter(({ record: { state } }) => state === 'revoked');
  const roots = certified.filter(({ record: { role, state } }) => role === 'root' && state !== 'revoked');
  const taken = takeCertificate({
    pem,
    publicKey: spkiOf(deps.signer, record),
    signer: openAuthority(deps.signer, record),
    roots: roots.map(({ certificate }) => certificate),
    names: new Set(certified.map(({ certificate }) => certificate.subject.key)),
    trustDomain: deps.trustDomain,
    now: deps.clock.now(),
  });
  // Whoever has its key could have signed this, and another certificate for it.
  if (taken.chain.some((one) => revoked.some(({ certificate: other }) => hasSameKey(one, other))))
    throw new AuthorityRefused({ path: 'revoked' });
  for (const { record: before } of certified) {
    if (before.role === 'issuing' && before.state === 'active')
      await replaceWith(deps, stores, tell, before, { state: 'retiring' }, 'retiring');
  }
  for (const { record: root, certificate } of roots) {
    const state = isSame(certificate, taken.root) ? 'active' : 'retiring';
    if (root.state !== state)
      await replaceWith(deps, stores, tell, root, { state }, state === 'active' ? 'activated' : 'retiring');
  }
  const { certificate, above, notAfter } = taken;
  return await replaceWith(
    deps,
    stores,
    tell,
    record,
    { state: 'active', certificate, above, notAfter },
    'certified',
  );
}

function hasSameKey(one: Certificate, other: Certificate): boolean {
  return Buffer.compare(one.publicKey, other.publicKey) === 0;
}

function isSame(one: Certificate, other: Certificate): boolean {
  return Buffer.compare(one.der, other.der) === 0;
}
