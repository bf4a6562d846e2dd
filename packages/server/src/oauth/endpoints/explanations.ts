// What an operator is told of a refusal that RFC 6749 §5.2 keeps short for the caller: why it was, and what to do.
import type { RefusalReason } from '../refusal.ts';
import { ASSERTION_EXPLANATIONS } from './assertion-explanations.ts';

export interface RefusalExplanation {
  readonly why: string;
  /** Undefined: there is nothing to do. */
  readonly fix: string | undefined;
}

function malformed(why: string): RefusalExplanation {
  return { why, fix: 'Correct the client, or let an OAuth library build the request.' };
}

const RETRY = 'Try again; if it stays so, look at the readiness and the log of the authority.';

/** One entry for every reason there is: the compiler sees to it. */
export const REFUSAL_EXPLANATIONS: { readonly [reason in RefusalReason]: RefusalExplanation } = {
  wrong_content_type: malformed('The body was not sent as application/x-www-form-urlencoded.'),
  credentials_in_query: malformed(
    'Parameters stood in the URL, where logs keep them; they belong in the body.',
  ),
  form_bad_percent_encoding: malformed('The body has a percent sign without two hex digits behind it.'),
  form_bad_utf8: malformed('The body is not UTF-8.'),
  form_nul: malformed('The body holds a NUL character.'),
  form_duplicate_parameter: malformed('A parameter that may come once came twice.'),
  form_too_many_parameters: malformed('The body has more parameters than any token request needs.'),
  form_name_too_long: malformed('The body has a parameter with an overlong name.'),
  form_empty_name: malformed('The body has a parameter without a name.'),
  json_malformed: malformed(
    'The body is JSON, but no flat object of texts with each name once; better send a form.',
  ),
  grant_type_missing: malformed('The request names no grant_type.'),
  grant_type_unknown: {
    why: 'The grant_type is none of those that the metadata of the authority lists.',
    fix: 'Ask with grant_type=client_credentials.',
  },
  authorization_repeated: malformed('The request has two Authorization headers.'),
  several_client_auth_methods: malformed(
    'The client proved itself in two ways at once; only one may be used.',
  ),
  client_id_mismatch: malformed('The client_id in the body is another than the one that was proved.'),
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
  client_certificate_header_spoofed: {
    why: 'A header named a client certificate, and nobody whose word counts wrote it: the caller is no declared proxy, the header is not the one of client-cert-header, or TLS says otherwise.',
    fix: 'If a proxy of yours is at the source address, declare it with trusted-proxy and client-cert-header, and let it remove such headers of its callers. Else somebody tried.',
  },
  client_certificate_header_malformed: {
    why: 'The header in which the proxy names a client certificate came twice, or does not hold one as client-cert-header says.',
    fix: 'Compare the configuration of the proxy with docs/operate/client-certificates.md.',
  },
  client_assertion_type_unknown: {
    why: 'The client_assertion_type is none that is taken here, or came without a client_assertion.',
    fix: 'Send client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer beside the assertion.',
  },
  client_assertion_malformed: {
    why: 'The client_assertion is no JWT as RFC 7515 has it, or has a header that is not taken (crit, b64, enc).',
    fix: 'Let an OAuth library make the assertion.',
  },
  client_assertion_wrong_typ: {
    why: 'The client_assertion says by its typ that it is another kind of JWT: an access token, a DPoP proof, or what else.',
    fix: 'Look for the client that sends a token in the place of its assertion. The typ is client-authentication+jwt.',
  },
  client_assertion_algorithm: {
    why: 'The client_assertion is signed with an algorithm that is not taken from anybody.',
    fix: 'Algorithms are in the metadata: token_endpoint_auth_signing_alg_values_supported.',
  },
  client_assertion_claims: {
    why: 'The client_assertion lacks a claim or has it in another shape: iss and sub are both the client_id, then aud, jti (at most 256 characters) and exp (whole seconds).',
    fix: 'Correct the client.',
  },
  client_assertion_key_unknown: {
    why: 'The identity has no key that this client_assertion could be signed with: kid, x5t#S256 or alg are of none that is registered.',
    fix: 'Compare with countersign credentials list --identity; add the key: countersign credentials create --type private_key_jwt --jwk-file. RS256 needs a key that allows it (--allow-rs256).',
  },
  client_assertion_keys_unavailable: {
    why: 'The keys that the client publishes at its jwks_uri could not be had, and no key is guessed.',
    fix: 'Look whether the authority may reach it: https, a public address or one that outbound-allow names, an answer within 5 seconds, at most 256 kB and 100 keys. A failed attempt is repeated after 30 seconds.',
  },
  client_assertion_signature: {
    why: 'The client_assertion was not signed by any key of this identity.',
    fix: 'Check which private key the client has loaded, or register its public key: countersign credentials create --type private_key_jwt.',
  },
  client_assertion_audience: {
    why: 'The client_assertion is right, but its audience is not the issuer of this authority alone.',
    fix: 'Set aud to the issuer, exactly as the metadata writes it. For a client that can only name the token endpoint: allow_token_endpoint_audience.',
  },
  client_assertion_outdated: {
    why: 'The client_assertion is right, but has expired, or was made more than 30 seconds ahead.',
    fix: 'Make a new assertion for each request; set the clock of the client right.',
  },
  client_assertion_too_long_lived: {
    why: 'The client_assertion is right, but its exp is more than an hour ahead.',
    fix: 'Let the client make assertions that live for a minute, one for each request.',
  },
  client_assertion_replayed: {
    why: 'The same client_assertion, or another of this client with its jti, was used before.',
    fix: 'Make a new assertion for each request, for retries too. If the client does, look for who read its traffic.',
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
    fix: 'Activate it: countersign identities activate',
  },
  identity_suspended: {
    why: 'The identity is suspended.',
    fix: 'Suspended by an operator: see its state_reason, then countersign identities resume. After a cut-off or a leak it is final in this version: make a new identity with countersign connect.',
  },
  identity_decommissioned: {
    why: 'The identity is being decommissioned, or is so already: something still uses it.',
    fix: 'Move the caller at the source address to an identity of its own, or restore this one in time.',
  },
  identity_expired: {
    why: 'The identity has reached its end.',
    fix: 'If it is still needed, extend its expires_at.',
  },
  ...ASSERTION_EXPLANATIONS,
  resource_malformed: {
    why: 'The resource asked for is not an absolute URI without fragment.',
    fix: 'Ask for the identifier of a resource server, exactly as it is registered.',
  },
  several_resources: {
    why: 'Two resources were asked for in one request; a token is for one.',
    fix: 'Ask for one token per resource.',
  },
  resource_missing: {
    why: 'No resource was asked for, and the identity has access to none or to several: nothing could be assumed.',
    fix: 'Name the resource in the request, or give the identity access: countersign access create',
  },
  resource_unknown: {
    why: 'The identity has no access to the resource asked for, or there is no such resource server.',
    fix: 'Compare the identifier character by character; give access if it is due: countersign access create',
  },
  access_expired: {
    why: 'The identity had access to this resource until it ended.',
    fix: 'If it is still needed, extend the expires_at of the access.',
  },
  access_missing: {
    why: 'The identity has no active access to this resource.',
    fix: 'Give it, if it is due: countersign access create',
  },
  scope_malformed: {
    why: 'The scope parameter is not a list of scopes parted by single spaces.',
    fix: 'Correct the client.',
  },
  scope_not_held: {
    why: 'None of the scopes asked for is part of the access.',
    fix: 'Ask for scopes that the access holds, or add the scope to the access.',
  },
  subject_token_missing: malformed(
    'The exchange names no subject_token, or does not say of which type it is.',
  ),
  actor_token_incomplete: malformed('An actor_token came without its type, or a type without a token.'),
  token_type_unsupported: {
    why: 'A token type in the exchange is neither that of an access token nor that of a JWT.',
    fix: 'Send urn:ietf:params:oauth:token-type:access_token for what is given and what is wanted.',
  },
  subject_token_unknown: {
    why: 'The subject_token is no token of this authority, or was changed on the way.',
    fix: 'Exchange the access token that came with the request to the API, as it came.',
  },
  subject_token_not_trusted: {
    why: 'The subject_token is of another issuer, and as an assertion it would not be taken: the detail says why.',
    fix: 'Look up the reason that the detail names (assertion), or try it: countersign trusted-issuers test',
  },
  subject_token_dead: {
    why: 'The subject_token has expired or was cut off, or somebody it names may not act any more.',
    fix: 'Exchange a live one; look at the identities that it names.',
  },
  subject_token_not_for_client: {
    why: 'The subject_token is for an API for which this client does not stand.',
    fix: 'Let the API define the scope tokens:exchange and give its identity access to it.',
  },
  subject_token_bound: {
    why: 'A token in the exchange is bound to a key or certificate that the request did not prove.',
    fix: 'Only the holder of the key can exchange it: let callers of an API that acts downstream send unbound tokens.',
  },
  actor_token_unacceptable: {
    why: 'The actor_token is not a live token that was issued to this client for itself.',
    fix: 'Leave it out: the client has proved who it is.',
  },
  actor_not_permitted: {
    why: 'The subject_token names in may_act who may act for its subject, and it is another.',
    fix: 'Let its issuer name this client, or nobody.',
  },
  actor_chain_too_long: {
    why: 'As many act in a row for the subject already as may.',
    fix: 'Look for a loop between the APIs, or let one of them call on its own account.',
  },
  subject_access_missing: {
    why: 'The subject of the token has no access to the resource itself, so nobody may act for it there.',
    fix: 'Give the subject access to the resource, or let the client call on its own account.',
  },
  subject_scope_not_held: {
    why: 'Client and subject hold none of the scopes asked for in common there.',
    fix: 'Ask for scopes that both hold, or add the scope to both accesses.',
  },
  resource_not_delegable: {
    why: 'The admin API is called by each in its own name; no token in the name of another is issued for it.',
    fix: 'Let the client ask for a token of its own.',
  },
  several_sender_constraints: {
    why: 'The request proved possession in two ways, and a token is bound to one.',
    fix: 'Send a DPoP proof or use the client certificate, not both.',
  },
  sender_constraint_missing: {
    why: 'The resource server takes only tokens that are bound to their holder, and nothing to bind to came with the request.',
    fix: 'Let the client prove possession as the resource server demands (sender_constraint), or change that. A certificate is seen at the port of mtls-port, or through a declared proxy (client-cert-header).',
  },
  api_key_rate_exceeded: {
    why: 'This API key was exchanged more often than the setting api-key-rate allows.',
    fix: 'Let the API that is called with it keep the token until it ends; or raise the setting.',
  },
  issuance_quota_exceeded: {
    why: 'The identity asked for more tokens than the setting issuance-quota allows.',
    fix: 'Let the client keep each token until it ends, as @countersign/client does; or raise the setting.',
  },
  method_not_allowed: {
    why: 'The rule methods-allowed-per-environment takes no credential of this type in the environment of the identity.',
    fix: 'Give it a stronger credential: countersign credentials create. What is refused where is the setting methods-refused.',
  },
  credential_too_old: {
    why: 'The rule credential-maximum-age takes no credential of this age for this method in the environment of the identity.',
    fix: 'Give the identity a new credential: countersign credentials create. What may last how long is the setting credential-max-age.',
  },
  dpop_proof_repeated: {
    why: 'The request carried more than one DPoP header.',
    fix: 'Correct the client: one proof per request. A proxy between may have doubled it.',
  },
  dpop_proof_malformed: {
    why: 'The DPoP header holds no proof as RFC 9449 has it: not a JWT of type dpop+jwt, an algorithm that is not taken, a key that is none or private, a claim that is missing.',
    fix: 'Correct the client. Algorithms are in the metadata: dpop_signing_alg_values_supported.',
  },
  dpop_proof_signature: {
    why: 'The signature of the DPoP proof was not made by the key it names.',
    fix: 'Correct the client: it signs with another key than the one in the header of the proof.',
  },
  dpop_proof_wrong_request: {
    why: 'The DPoP proof is for another method or another URL.',
    fix: 'The claim htm must be POST and htu the token endpoint as the metadata names it, whatever proxies are between.',
  },
  dpop_proof_outdated: {
    why: 'The DPoP proof was made more than 60 seconds ago, or more than 30 ahead.',
    fix: 'Make a new proof for each request; set the clock of the client right.',
  },
  dpop_proof_replayed: {
    why: 'The same DPoP proof was used before: the client sent it twice, or somebody else did.',
    fix: 'Make a new proof for each request, for retries too. If the client does, look for who read its traffic.',
  },
  dpop_nonce_missing: {
    why: 'The DPoP proof had no nonce. Every client begins so, and is given one.',
    fix: 'If nothing follows, the client knows no nonces: update it, or set dpop-nonce to false.',
  },
  dpop_nonce_unknown: {
    why: 'The nonce of the DPoP proof is too old, or not one of this authority. The client was given a new one.',
    fix: 'If nothing follows, the client does not take the nonce from the DPoP-Nonce header: correct it.',
  },
  lifetime_exhausted: {
    why: 'Identity, credential or access ends so soon that no token could live.',
    fix: 'Extend what ends first.',
  },
  token_too_large: {
    why: 'With all these scopes, and those of every token it was exchanged for, the token would be longer than verifiers read.',
    fix: 'Let the client ask for the scopes that it needs for this call.',
  },
  token_missing: malformed('The request names no token to introspect or to revoke.'),
  token_of_another_client: {
    why: 'The token that was to be revoked was issued to another client; it stays alive.',
    fix: 'Let its own client revoke it, or cut it off: countersign cutoffs create',
  },
  audit_unavailable: {
    why: 'The audit log could not be written, and nothing leaves without its record.',
    fix: RETRY,
  },
  storage_unavailable: { why: 'The database did not answer.', fix: RETRY },
};
