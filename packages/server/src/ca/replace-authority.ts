import type { CertificateAuthorityRecord } from '../storage/certificate-authorities.ts';
import type { Stores } from '../storage/storage.ts';
import type { MakeAuthorityDeps, Tell } from './make-authority.ts';
import { authorityView } from './view.ts';

/** The next version of an authority, and its event `certificate_authority.<verb>`. */
export async function replaceWith(
  { clock }: Pick<MakeAuthorityDeps, 'clock'>,
  stores: Pick<Stores, 'certificateAuthorities'>,
  tell: Tell,
  record: CertificateAuthorityRecord,
  change: Partial<CertificateAuthorityRecord>,
  verb: string,
): Promise<CertificateAuthorityRecord> {
  const next = { ...record, ...change, updatedAt: clock.now(), version: record.version + 1 };
  await stores.certificateAuthorities.replace(next);
  tell({
    type: `certificate_authority.${verb}`,
    resource: record.id,
    before: authorityView(record),
    after: authorityView(next),
  });
  return next;
}
