// self_signed_tls_client_auth: the certificate is the registered one, whoever signed it (RFC 8705 §2.2).
import { certificateThumbprint } from '@countersign/protocol';
import type { CertificateMethod } from './client-certificate.ts';

/**
 * By thumbprint alone: names, issuers and chains say nothing here. The dates of a certificate are those of its
 * credential (registry/client-certificate.ts), which the caller looks at.
 */
export const selfSignedTlsClientAuth: CertificateMethod = {
  name: 'self_signed_tls_client_auth',

  verify({ chain }, credentials) {
    const [leaf] = chain;
    if (leaf === undefined) return undefined;
    const shown = certificateThumbprint(leaf);
    return credentials.find(
      ({ material }) => material.type === 'self_signed_tls_client_auth' && material.thumbprint === shown,
    );
  },
};
