// The assertion of a client does not prove who it is: RFC 7523 §3, RFC 10070.
import { NOT_AUTHENTICATED } from './client-authentication.ts';
import { answeredBy, type Reasons } from './entry.ts';

export type ClientAssertionReason =
  | 'client_assertion_type_unknown'
  | 'client_assertion_malformed'
  | 'client_assertion_wrong_typ'
  | 'client_assertion_algorithm'
  | 'client_assertion_claims'
  | 'client_assertion_key_unknown'
  | 'client_assertion_keys_unavailable'
  | 'client_assertion_signature'
  | 'client_assertion_audience'
  | 'client_assertion_outdated'
  | 'client_assertion_too_long_lived'
  | 'client_assertion_replayed';

export const CLIENT_ASSERTION: Reasons<ClientAssertionReason> = answeredBy(NOT_AUTHENTICATED, {
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
});
