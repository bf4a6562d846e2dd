// spiffe_x509: an X.509-SVID over TLS, draft-ietf-oauth-spiffe-client-auth §5; X509-SVID.md §4 and §5; RFC 8705 §3 for what is bound to it.
import type { SpiffeId } from '@countersign/protocol';
import { credentialFault } from '../../registry/effective-access.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { validatePath } from '../../x509/path-validation.ts';
import { spiffeIdIn } from '../../x509/svid.ts';
import { Refusal } from '../refusal.ts';
import type { PresentedCertificate } from './client-certificate.ts';
import type { ClientAuthMethod } from './method.ts';
import { PATH_REASONS } from './path-reasons.ts';
import { credentialNaming } from './spiffe-credential.ts';
import type { TrustBundles } from './trust-bundles.ts';

/**
 * A certificate of an authority may be for this method or for `tls_client_auth`: a request has one certificate and says no more. The
 * credentials of its client decide: where one names the SPIFFE ID that is in it, this one is asked, and else the other.
 */
export function issuedCertificate(
  tls: ClientAuthMethod<PresentedCertificate['proof']>,
  bundles: Pick<TrustBundles, 'of'>,
): ClientAuthMethod<PresentedCertificate['proof']> {
  return {
    name: tls.name,
    present: (request, form) => tls.present(request, form),
    nameFor: ({ material }) => (material.type === 'spiffe' ? SPIFFE_X509 : tls.name),
    verify(presented, credentials, now) {
      const leaf = presented.proof.certificates?.[0];
      const id = leaf && spiffeIdIn(leaf);
      const isNamed = credentials.some(
        ({ material }) => material.type === 'spiffe' && material.spiffeId === id?.text,
      );
      if (leaf === undefined || id === undefined || !isNamed) return tls.verify(presented, credentials, now);
      return verifySvid({ bundles, leaf, id, credentials, now }, presented);
    },
  };
}

export const SPIFFE_X509 = 'spiffe_x509';

interface Asked {
  readonly bundles: Pick<TrustBundles, 'of'>;
  readonly leaf: Certificate;
  readonly id: SpiffeId;
  readonly credentials: readonly CredentialRecord[];
  readonly now: number;
}

/** By authorities of the trust domain that the certificate names, and of no other: bundles are never pooled. */
async function verifySvid(
  { bundles, leaf, id, credentials, now }: Asked,
  { proof }: PresentedCertificate,
): Promise<CredentialRecord | undefined> {
  const keys = await bundles.of(id.trustDomain);
  if (keys === undefined) throw new Refusal('svid_trust_domain_unknown');
  const path = validatePath(proof.certificates ?? [], keys.x509, now);
  if (!path.ok) throw new Refusal(PATH_REASONS[path.fault]);
  if (keys.isOwn && isRevoked(leaf, credentials, now)) throw new Refusal('certificate_revoked');
  proof.keep?.();
  return credentialNaming(id, credentials, now);
}

/** RFC 3739 §3.1.2: the serialNumber of the subject; the authority of this deployment writes there which credential it serves. */
const SERIAL_NUMBER = '2.5.4.5';

/** Revoked by itself or with its credential; what serves no credential of this client counts as that. */
function isRevoked(
  { subject, serialNumber }: Certificate,
  credentials: readonly CredentialRecord[],
  now: number,
): boolean {
  const served = subject.attributes.find(({ type }) => type === SERIAL_NUMBER)?.text;
  const credential = credentials.find(({ id }) => id === served);
  if (credential?.material.type !== 'tls_client_auth') return true;
  const { revoked = [] } = credential.material;
  return (
    credentialFault(credential, now) !== undefined ||
    revoked.some((each) => each.serialNumber === serialNumber)
  );
}
