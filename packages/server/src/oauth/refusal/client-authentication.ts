// The client is not who it says, or may not act now: RFC 6749 §5.2.
import { answeredBy, type Reasons, type RefusalAnswer } from './entry.ts';

export type ClientAuthenticationReason =
  | 'client_authentication_missing'
  | 'authorization_unreadable'
  | 'api_key_malformed'
  | 'client_unknown'
  | 'secret_mismatch'
  | 'certificate_mismatch'
  | 'credential_not_yet_valid'
  | 'credential_expired'
  | 'credential_suspended'
  | 'credential_revoked'
  | 'identity_not_active'
  | 'identity_suspended'
  | 'identity_decommissioned'
  | 'identity_brown_out'
  | 'identity_expired';

/** RFC 6749 §5.2 invalid_client: one text for all of them. Which it was stands in the audit log only. */
export const NOT_AUTHENTICATED: RefusalAnswer = {
  code: 'invalid_client',
  status: 401,
  description: 'client authentication failed',
  stranger: true,
};

export const CLIENT_AUTHENTICATION: Reasons<ClientAuthenticationReason> = answeredBy(NOT_AUTHENTICATED, {
  client_authentication_missing: {
    why: 'The request carried nothing that proves who the client is.',
    fix: 'Send the client_id and its secret, best as an HTTP Basic header; or a client_assertion.',
  },
  authorization_unreadable: {
    why: 'The Authorization header is not a well-formed Basic header.',
    fix: 'Encode client_id and secret as RFC 6749 section 2.3.1 says, or let a library do it.',
  },
  api_key_malformed: {
    why: 'What came as an API key is none: its shape or its checksum is wrong. Nothing was looked up.',
    fix: 'Look for a key that was cut off or mistyped, or for a token that was sent in its place.',
  },
  client_unknown: {
    why: 'There is no identity with this client_id.',
    fix: 'Check the client_id and that the client talks to the right authority: countersign identities list',
  },
  secret_mismatch: {
    why: 'The identity exists, but none of its secrets is the one that was sent.',
    fix: 'Check which secret the client has loaded, or make a new one: countersign credentials create',
  },
  certificate_mismatch: {
    why: 'The identity exists, but the certificate that was shown is none of those registered for it.',
    fix: 'Compare its SHA-256 thumbprint with the credentials of the identity: countersign credentials list. After a renewal register the new certificate first.',
  },
  credential_not_yet_valid: {
    why: 'The secret is right, but not valid yet.',
    fix: 'Wait for its not_before, or use another credential.',
  },
  credential_expired: {
    why: 'The secret is right, but has expired.',
    fix: 'Make a new credential and roll it out: countersign credentials create',
  },
  credential_suspended: {
    why: 'The secret is right, but its credential is suspended.',
    fix: 'Find out why; then set its state to active, or use another credential.',
  },
  credential_revoked: {
    why: 'The secret is right, but its credential was revoked: something still uses an old secret.',
    fix: 'Roll the present secret out to the caller at the source address of this event.',
  },
  identity_not_active: {
    why: 'The identity is not active yet, or never became so.',
    fix: 'See its state: countersign identities get. A draft or an approved one is activated with countersign identities activate.',
  },
  identity_suspended: {
    why: 'The identity is suspended.',
    fix: 'Suspended by an operator: see its state_reason, then countersign identities resume. After a cut-off it takes two people and a new credential.',
  },
  identity_decommissioned: {
    why: 'The identity is being decommissioned, or is so already: something still uses it.',
    fix: 'Move the caller at the source address to an identity of its own, or restore this one in time.',
  },
  identity_brown_out: {
    why: 'The identity is being decommissioned, and this is one of its announced brown-outs: it is refused for some minutes, so that whoever still needs it notices.',
    fix: 'Move the caller at the source address to an identity of its own. When the brown-outs are and who still calls: countersign decommissioning show. To call it off: countersign decommissioning keep.',
  },
  identity_expired: {
    why: 'The identity has reached its end.',
    fix: 'If it is still needed, extend its expires_at.',
  },
});
