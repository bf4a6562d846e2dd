// The certificate of a client does not prove who it is: RFC 8705 §2, RFC 5280 §6.
import { NOT_AUTHENTICATED } from './client-authentication.ts';
import { answeredBy, type Reasons } from './entry.ts';

export type ClientCertificateReason =
  | 'client_certificate_header_spoofed'
  | 'client_certificate_header_malformed'
  | 'certificate_missing'
  | 'certificate_malformed'
  | 'certificate_subject_mismatch'
  | 'certificate_untrusted'
  | 'certificate_not_yet_valid'
  | 'certificate_expired'
  | 'certificate_wrong_purpose'
  | 'certificate_weak'
  | 'certificate_outside_constraints'
  | 'certificate_revoked'
  | 'certificate_revocation_unknown';

export const CLIENT_CERTIFICATE: Reasons<ClientCertificateReason> = answeredBy(NOT_AUTHENTICATED, {
  client_certificate_header_spoofed: {
    why: 'A header named a client certificate, and nobody whose word counts wrote it: the caller is no declared proxy, the header is not the one of client-cert-header, or TLS says otherwise.',
    fix: 'If a proxy of yours is at the source address, declare it with trusted-proxy and client-cert-header, and let it remove such headers of its callers. Else somebody tried.',
  },
  client_certificate_header_malformed: {
    why: 'The header in which the proxy names a client certificate came twice, or does not hold one as client-cert-header says.',
    fix: 'Compare the configuration of the proxy with docs/operate/client-certificates.md.',
  },
  certificate_missing: {
    why: 'The client proves itself with a certificate, and the request showed none: the port it came to does not ask for one, or the client has none loaded.',
    fix: 'Let it call the endpoints of mtls_endpoint_aliases in the metadata, with its certificate and key.',
  },
  certificate_malformed: {
    why: 'The certificate that the client showed, or one that came along, breaks the rules of RFC 5280 section 4, has an invisible character in a name, or is too large.',
    fix: 'Look at it with openssl x509 -text and have it issued anew.',
  },
  certificate_subject_mismatch: {
    why: 'The certificate does not name the client as its tls_client_auth credential says, or the identity has no such credential.',
    fix: 'Compare the field that the credential names with openssl x509 -noout -subject -nameopt RFC2253 -ext subjectAltName.',
  },
  certificate_untrusted: {
    why: 'No path leads from the certificate to an authority of the credential: another one issued it, an intermediate is missing or may not issue, or a critical extension is unknown.',
    fix: 'Let the client send its intermediates, and compare: openssl verify -purpose sslclient -partial_chain -CAfile ca.pem -untrusted chain.pem client.pem',
  },
  certificate_not_yet_valid: {
    why: 'The certificate, or an authority above it, is valid from a later time on.',
    fix: 'Wait for its notBefore, or set the clock of the host right.',
  },
  certificate_expired: {
    why: 'The certificate, or an authority above it, has expired.',
    fix: 'Renew it. The credential stays as it is while subject and authority do.',
  },
  certificate_wrong_purpose: {
    why: 'The certificate, or an authority above it, is not for client authentication, may not sign, or is itself an authority.',
    fix: 'Issue it with CA:false, key usage digitalSignature and extended key usage clientAuth.',
  },
  certificate_weak: {
    why: 'A key or signature in the path is too weak: SHA-1 or older, or RSA below 2,048 bits.',
    fix: 'Issue it anew, with ECDSA on P-256 or RSA of 2,048 bits, and SHA-256.',
  },
  certificate_outside_constraints: {
    why: 'The certificate has a name that an authority above it may not give out (RFC 5280 section 4.2.1.10).',
    fix: 'Issue it for a name within the constraints.',
  },
  certificate_revoked: {
    why: 'The certificate, or an authority above it, is on a revocation list of the credential.',
    fix: 'Find out why it was revoked before you issue another.',
  },
  certificate_revocation_unknown: {
    why: 'The credential has revocation lists, and none that holds now is of the authority that issued a certificate in the path.',
    fix: 'Give it the current lists, of intermediates too: countersign credentials update --crl',
  },
});
