// Binding a token to the certificate of its holder: RFC 8705 §3.
import { certificateThumbprint } from '@countersign/protocol';
import type { SenderConstraint } from './constraint.ts';

/**
 * Only where the resource server wants it: a certificate comes with every request of its connection, and a token bound
 * to it unasked would be refused by an API that cannot see certificates. Any certificate will do, however its client
 * authenticated: the key behind it is what counts (RFC 8705 §4).
 */
export const mtls: SenderConstraint = {
  name: 'mtls',
  confirm(request, wanted) {
    const leaf = wanted ? request.clientCertificate?.chain[0] : undefined;
    return leaf === undefined ? undefined : { 'x5t#S256': certificateThumbprint(leaf) };
  },
};
