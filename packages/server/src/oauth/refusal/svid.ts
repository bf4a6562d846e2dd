// An SVID does not prove who a client is: draft-ietf-oauth-spiffe-client-auth, JWT-SVID.md, X509-SVID.md of the SPIFFE specification, RFC 7521 §4.2.
import { NOT_AUTHENTICATED } from './client-authentication.ts';
import { answeredBy, type Reasons } from './entry.ts';

export type SvidReason =
  | 'svid_malformed'
  | 'svid_client_id_missing'
  | 'svid_trust_domain_unknown'
  | 'svid_untrusted'
  | 'svid_audience'
  | 'svid_outdated'
  | 'svid_id_mismatch';

export const SVID: Reasons<SvidReason> = answeredBy(NOT_AUTHENTICATED, {
  svid_malformed: {
    why: 'What the client showed is no SVID as the SPIFFE specification has it: a JWT-SVID with another header than alg, kid and typ, without kid, or whose sub is no SPIFFE ID of a workload; or a certificate with none or several URIs.',
    fix: 'Let the client fetch it from its Workload API. A plain client assertion has another client_assertion_type.',
  },
  svid_client_id_missing: {
    why: 'The client showed a JWT-SVID and no client_id: whose SPIFFE ID it is says the registration, not the token.',
    fix: 'Send client_id beside client_assertion.',
  },
  svid_trust_domain_unknown: {
    why: 'The SVID is of a trust domain that is not declared here.',
    fix: 'Only declared trust domains count: countersign trust-domains list, and create.',
  },
  svid_untrusted: {
    why: 'The JWT-SVID was not signed by a key of the trust domain that its subject names. Keys of other trust domains are not tried.',
    fix: 'Look whether the bundle of that trust domain is current, and where the client has its SVID from.',
  },
  svid_audience: {
    why: 'The JWT-SVID is right, but its audience is not the issuer of this authority alone: whoever else it is for could show it here.',
    fix: 'Fetch it with the issuer as its only audience, exactly as the metadata writes it.',
  },
  svid_outdated: {
    why: 'The JWT-SVID is right, but has expired, or begins more than 30 seconds ahead.',
    fix: 'Fetch a new one; set the clocks right.',
  },
  svid_id_mismatch: {
    why: 'The SVID is right, and no credential of the client names its SPIFFE ID.',
    fix: 'Compare with countersign credentials list --identity; add it: countersign credentials create --type spiffe --spiffe-id.',
  },
});
