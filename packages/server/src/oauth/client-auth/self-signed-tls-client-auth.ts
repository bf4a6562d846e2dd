// self_signed_tls_client_auth: the certificate is the registered one, whoever signed it (RFC 8705 §2.2).
import { X509Certificate } from 'node:crypto';
import { certificateThumbprint, type Form } from '@countersign/protocol';
import { type HttpRequest, header } from '../../http/request.ts';
import { Refusal } from '../refusal.ts';
import type { ClientAuthMethod } from './method.ts';

/**
 * By thumbprint alone: names, issuers and chains say nothing here. The dates of a certificate are those of its
 * credential, which the caller looks at. Claims requests with a client_id and a certificate under its own name, and
 * nothing else by which a client authenticates: beside a secret or an assertion it binds a token and proves nobody.
 */
export const selfSignedTlsClientAuth: ClientAuthMethod<Uint8Array> = {
  name: 'self_signed_tls_client_auth',

  present(request, form) {
    // RFC 8705 §2: always needed.
    const clientId = form.get('client_id');
    if (clientId === undefined || provesOtherwise(request, form)) return undefined;
    const leaf = request.clientCertificate?.chain[0];
    return leaf === undefined || !isSelfIssued(leaf) ? undefined : { clientId, proof: leaf };
  },

  verify({ proof }, credentials) {
    const shown = certificateThumbprint(proof);
    const matched = credentials.find(
      ({ material }) => material.type === 'self_signed_tls_client_auth' && material.thumbprint === shown,
    );
    if (matched === undefined && credentials.length > 0) throw new Refusal('certificate_mismatch');
    return matched;
  },
};

function provesOtherwise(request: HttpRequest, form: Form): boolean {
  return (
    ['client_secret', 'client_assertion', 'client_assertion_type'].some(
      (name) => form.get(name) !== undefined,
    ) || ['authorization', 'x-api-key'].some((name) => header(request, name).kind !== 'absent')
  );
}

function isSelfIssued(der: Uint8Array): boolean {
  try {
    const { issuer, subject } = new X509Certificate(der);
    return issuer === subject;
  } catch {
    return false;
  }
}
