import type { CertificateAlgorithm, CertificateAuthorityRecord } from '../storage/certificate-authorities.ts';
import type { Stores } from '../storage/storage.ts';
import { AuthorityRefused } from './authority-refused.ts';
import { askingAuthority, type MakeAuthorityDeps, type Tell } from './make-authority.ts';
import { replaceWith } from './replace-authority.ts';
import { authorityView } from './view.ts';

/** Requests that wait for their certificate at a time. */
export const MOST_PENDING = 4;

/**
 * Makes the key of an issuing authority and the request for its certificate, in the caller's transaction: for the holder of the root, or an
 * authority of somebody else's. The key stays where keys are. Throws `AuthorityRefused`.
 */
export async function requestAuthority(
  deps: MakeAuthorityDeps,
  stores: Pick<Stores, 'certificateAuthorities'>,
  tell: Tell,
  alg: CertificateAlgorithm,
): Promise<CertificateAuthorityRecord> {
  const live = await stores.certificateAuthorities.live();
  if (live.filter(({ state }) => state === 'pending').length >= MOST_PENDING)
    throw new AuthorityRefused('too_many_pending');
  const made = await askingAuthority(deps, alg);
  await stores.certificateAuthorities.insert(made);
  tell({ type: 'certificate_authority.requested', resource: made.id, after: authorityView(made) });
  return made;
}

/** Gives one up whose certificate never came, and its key. Throws `AuthorityRefused`. */
export async function discardAuthority(
  deps: Pick<MakeAuthorityDeps, 'clock'>,
  stores: Pick<Stores, 'certificateAuthorities'>,
  tell: Tell,
  record: CertificateAuthorityRecord,
): Promise<CertificateAuthorityRecord> {
  if (record.state !== 'pending') throw new AuthorityRefused('not_pending');
  return await replaceWith(
    deps,
    stores,
    tell,
    record,
    { state: 'retired', sealedPrivateKey: undefined },
    'discarded',
  );
}
