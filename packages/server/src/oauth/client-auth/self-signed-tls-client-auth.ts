// self_signed_tls_client_auth: the certificate is the registered one (RFC 8705 §2.2).
import { certificateThumbprint } from '@countersign/protocol';
import { Refusal } from '../refusal.ts';
import { type CertificateProof, isSelfSigned, presentedCertificate } from './client-certificate.ts';
import type { ClientAuthMethod } from './method.ts';

/**
 * By thumbprint alone: names and chains say nothing here. The dates of a certificate are those of its credential, which
 * the caller looks at.
 */
export const selfSignedTlsClientAuth: ClientAuthMethod<CertificateProof> = {
  name: 'self_signed_tls_client_auth',

  present(request, form) {
    const presented = presentedCertificate(request, form);
    return presented === undefined || !isSelfSigned(presented.proof) ? undefined : presented;
  },

  verify({ proof }, credentials) {
    const leaf = proof.certificates?.[0];
    if (leaf === undefined) throw new Refusal('certificate_malformed');
    const shown = certificateThumbprint(leaf.der);
    const matched = credentials.find(
      ({ material }) => material.type === 'self_signed_tls_client_auth' && material.thumbprint === shown,
    );
    if (matched === undefined && credentials.length > 0) throw new Refusal('certificate_mismatch');
    return matched;
  },
};
