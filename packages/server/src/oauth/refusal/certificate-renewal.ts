// A machine that renews its certificate: proved by the present one (RFC 8705 §2.1) and by the key of the next (RFC 2986 §3).
import { CORRECT_THE_CLIENT, denied, type Reasons } from './entry.ts';

export type CertificateRenewalReason = 'renewal_method' | 'csr_missing' | 'renewal_refused';

export const CERTIFICATE_RENEWAL: Reasons<CertificateRenewalReason> = {
  renewal_method: {
    ...denied(
      'unauthorized_client',
      'only a client that shows a certificate of this authority renews it here',
    ),
    why: 'The client proved itself otherwise than by a certificate that this deployment issued: there is nothing to renew.',
    fix: 'Issue one: countersign certificates issue. Or let it call with the certificate that it has.',
  },
  csr_missing: {
    ...denied('invalid_request', 'csr is missing'),
    why: 'The request brings no certification request.',
    fix: CORRECT_THE_CLIENT,
  },
  renewal_refused: {
    ...denied('access_denied', 'this certificate is not renewed'),
    why: 'A rule stands against it; the detail of the event says which: the request cannot be read or is not signed by its key, the key is another machine’s, the identity or its credential ends too soon, or a policy refuses it.',
    fix: 'Make right what the detail says, or issue a certificate yourself: countersign certificates issue',
  },
};
