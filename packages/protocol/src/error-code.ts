// The registered OAuth error codes: RFC 6749 §5.2, §4.1.2.1; RFC 6750 §3.1; RFC 7009 §2.2.1; RFC 7591 §3.2.2; RFC 8707 §2; RFC 9200 §5.8.3; RFC 9396 §5; RFC 9449 §5, §8.

/** Every registered error code that this product can put on the wire. Nothing else may appear in an `error` member. */
export const OAUTH_ERROR_CODES = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'access_denied',
  'server_error',
  'temporarily_unavailable',
  'invalid_token',
  'insufficient_scope',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'invalid_authorization_details',
  'unsupported_token_type',
  'unsupported_pop_key',
  'incompatible_ace_profiles',
  'invalid_client_metadata',
  'invalid_software_statement',
  'unapproved_software_statement',
] as const;

export type OAuthErrorCode = (typeof OAUTH_ERROR_CODES)[number];

/** Where a code is registered and what a caller should read from it. The documentation page is made from this. */
export interface ErrorCode {
  readonly rfc: number;
  readonly section: string;
  readonly meaning: string;
}

export const ERROR_CODE_TABLE: { readonly [code in OAuthErrorCode]: ErrorCode } = {
  invalid_request: {
    rfc: 6749,
    section: '5.2',
    meaning: 'The request is malformed: a parameter is missing, repeated or unreadable.',
  },
  invalid_client: {
    rfc: 6749,
    section: '5.2',
    meaning: 'The caller did not prove that it is the client it claims to be.',
  },
  invalid_grant: {
    rfc: 6749,
    section: '5.2',
    meaning: 'The presented grant or assertion is not acceptable.',
  },
  unauthorized_client: {
    rfc: 6749,
    section: '5.2',
    meaning: 'This client may not use this grant type.',
  },
  unsupported_grant_type: {
    rfc: 6749,
    section: '5.2',
    meaning: 'The server does not offer this grant type.',
  },
  invalid_scope: {
    rfc: 6749,
    section: '5.2',
    meaning: 'The scope is malformed, or none of it is held by the client.',
  },
  invalid_target: {
    rfc: 8707,
    section: '2',
    meaning: 'The resource is malformed, unknown, ambiguous or not open to the client.',
  },
  access_denied: { rfc: 6749, section: '4.1.2.1', meaning: 'Policy refuses this request.' },
  server_error: { rfc: 6749, section: '4.1.2.1', meaning: 'The server failed in a way it did not foresee.' },
  temporarily_unavailable: {
    rfc: 6749,
    section: '4.1.2.1',
    meaning: 'The server cannot answer now; the same request may succeed later.',
  },
  invalid_token: {
    rfc: 6750,
    section: '3.1',
    meaning: 'The access token is malformed, expired, revoked or not for this resource.',
  },
  insufficient_scope: { rfc: 6750, section: '3.1', meaning: 'The access token lacks the scope this needs.' },
  invalid_dpop_proof: { rfc: 9449, section: '5', meaning: 'The DPoP proof is missing or not acceptable.' },
  use_dpop_nonce: { rfc: 9449, section: '8', meaning: 'The DPoP proof must carry the nonce given here.' },
  invalid_authorization_details: {
    rfc: 9396,
    section: '5',
    meaning: 'The authorization_details are malformed, unknown or not held.',
  },
  unsupported_token_type: { rfc: 7009, section: '2.2.1', meaning: 'This kind of token cannot be revoked.' },
  unsupported_pop_key: {
    rfc: 9200,
    section: '5.8.3',
    meaning: 'The token cannot be bound to the proof-of-possession key that was asked for.',
  },
  incompatible_ace_profiles: {
    rfc: 9200,
    section: '5.8.3',
    meaning: 'The resource server has no ACE profile: its tokens are asked for in another way.',
  },
  invalid_client_metadata: {
    rfc: 7591,
    section: '3.2.2',
    meaning: 'A registration field has a value that is not acceptable.',
  },
  invalid_software_statement: {
    rfc: 7591,
    section: '3.2.2',
    meaning: 'The software statement is not acceptable.',
  },
  unapproved_software_statement: {
    rfc: 7591,
    section: '3.2.2',
    meaning: 'The software statement is not approved here.',
  },
};
