// Why a request at an OAuth endpoint is refused: the inside of RFC 6749 §5.2. Only error-response.ts turns it outward.
import type { OAuthErrorCode } from '@countersign/protocol';

export interface RefusalEntry {
  readonly code: OAuthErrorCode;
  readonly status: 400 | 401 | 403 | 413 | 415 | 429 | 503;
  /** The whole of what a caller is told beside the code: it depends on the code's cause in public, never in private. */
  readonly description: string;
  /**
   * The caller has not proved who it is. Such refusals share one budget in the audit log and leave on a fixed beat, so
   * that neither text, time nor the log tells or costs anything by guessing.
   */
  readonly stranger: boolean;
}

function malformed(description: string, status: 400 | 415 = 400): RefusalEntry {
  return { code: 'invalid_request', status, description, stranger: true };
}

/** RFC 6749 §5.2 invalid_client: one text for all of them. Which it was stands in the audit log only. */
const NOT_AUTHENTICATED: RefusalEntry = {
  code: 'invalid_client',
  status: 401,
  description: 'client authentication failed',
  stranger: true,
};

/** RFC 7521 §4.1.1 invalid_grant: one text for all of them, as for clients who cannot prove who they are. */
const BAD_ASSERTION: RefusalEntry = {
  code: 'invalid_grant',
  status: 400,
  description: 'the assertion is not acceptable',
  stranger: true,
};

/** RFC 9449 §5: one text for all of them; the client has proved who it is, so the log is not shared with strangers. */
const BAD_PROOF = denied('invalid_dpop_proof', 'the DPoP proof does not hold');
const NONCE_NEEDED = denied('use_dpop_nonce', 'the DPoP proof needs the nonce given here');

function denied(code: OAuthErrorCode, description: string): RefusalEntry {
  return { code, status: 400, description, stranger: false };
}

/** RFC 8693 §2.2.2: one text for all of them; which it was stands in the audit log. */
const BAD_SUBJECT = denied('invalid_request', 'the subject token is not acceptable');
const BAD_ACTOR = denied('invalid_request', 'the actor token is not acceptable');

/** RFC 6585 §4. Of the registered codes, temporarily_unavailable is what it is: the same request will do later. */
const USED_UP: RefusalEntry = {
  code: 'temporarily_unavailable',
  status: 429,
  description: 'too many requests of this client',
  stranger: false,
};

export const REFUSAL_REASONS = [
  'wrong_content_type',
  'credentials_in_query',
  'form_bad_percent_encoding',
  'form_bad_utf8',
  'form_nul',
  'form_duplicate_parameter',
  'form_too_many_parameters',
  'form_name_too_long',
  'form_empty_name',
  'json_malformed',
  'grant_type_missing',
  'grant_type_unknown',
  'authorization_repeated',
  'several_client_auth_methods',
  'client_id_mismatch',
  'client_authentication_missing',
  'authorization_unreadable',
  'api_key_malformed',
  'client_certificate_header_spoofed',
  'client_certificate_header_malformed',
  'client_assertion_type_unknown',
  'client_assertion_malformed',
  'client_assertion_wrong_typ',
  'client_assertion_algorithm',
  'client_assertion_claims',
  'client_assertion_key_unknown',
  'client_assertion_keys_unavailable',
  'client_assertion_signature',
  'client_assertion_audience',
  'client_assertion_outdated',
  'client_assertion_too_long_lived',
  'client_assertion_replayed',
  'certificate_missing',
  'certificate_malformed',
  'certificate_subject_mismatch',
  'certificate_untrusted',
  'certificate_not_yet_valid',
  'certificate_expired',
  'certificate_wrong_purpose',
  'certificate_weak',
  'certificate_outside_constraints',
  'certificate_revoked',
  'certificate_revocation_unknown',
  'client_unknown',
  'secret_mismatch',
  'certificate_mismatch',
  'credential_not_yet_valid',
  'credential_expired',
  'credential_suspended',
  'credential_revoked',
  'identity_not_active',
  'identity_suspended',
  'identity_decommissioned',
  'identity_expired',
  'assertion_missing',
  'assertion_malformed',
  'assertion_issuer_unknown',
  'assertion_issuer_suspended',
  'assertion_wrong_typ',
  'assertion_algorithm_not_allowed',
  'assertion_keys_unavailable',
  'assertion_key_unknown',
  'assertion_signature',
  'assertion_audience',
  'assertion_expired',
  'assertion_not_yet_valid',
  'assertion_stale',
  'assertion_no_rule',
  'assertion_condition_not_met',
  'assertion_rule_not_usable',
  'assertion_ambiguous',
  'assertion_of_another_client',
  'assertion_replayed',
  'resource_malformed',
  'several_resources',
  'resource_missing',
  'resource_unknown',
  'access_expired',
  'access_missing',
  'scope_malformed',
  'scope_not_held',
  'subject_token_missing',
  'actor_token_incomplete',
  'token_type_unsupported',
  'subject_token_unknown',
  'subject_token_not_trusted',
  'subject_token_dead',
  'subject_token_not_for_client',
  'subject_token_bound',
  'actor_token_unacceptable',
  'actor_not_permitted',
  'actor_chain_too_long',
  'subject_access_missing',
  'subject_scope_not_held',
  'resource_not_delegable',
  'several_sender_constraints',
  'sender_constraint_missing',
  'api_key_rate_exceeded',
  'issuance_quota_exceeded',
  'method_not_allowed',
  'credential_too_old',
  'dpop_proof_repeated',
  'dpop_proof_malformed',
  'dpop_proof_signature',
  'dpop_proof_wrong_request',
  'dpop_proof_outdated',
  'dpop_proof_replayed',
  'dpop_nonce_missing',
  'dpop_nonce_unknown',
  'lifetime_exhausted',
  'token_too_large',
  'token_missing',
  'token_of_another_client',
  'audit_unavailable',
  'storage_unavailable',
] as const;

export type RefusalReason = (typeof REFUSAL_REASONS)[number];

const REFUSALS: { readonly [reason in RefusalReason]: RefusalEntry } = {
  // The request cannot be read
  wrong_content_type: malformed('the body must be application/x-www-form-urlencoded', 415),
  credentials_in_query: malformed('parameters belong in the body, not in the URL'),
  form_bad_percent_encoding: malformed('the body is not well-formed'),
  form_bad_utf8: malformed('the body is not well-formed'),
  form_nul: malformed('the body is not well-formed'),
  form_duplicate_parameter: malformed('a parameter is repeated'),
  form_too_many_parameters: malformed('too many parameters'),
  form_name_too_long: malformed('the body is not well-formed'),
  form_empty_name: malformed('the body is not well-formed'),
  json_malformed: malformed('the body is not well-formed'),
  grant_type_missing: malformed('grant_type is missing'),
  grant_type_unknown: {
    code: 'unsupported_grant_type',
    status: 400,
    description: 'this grant_type is not supported',
    stranger: true,
  },
  authorization_repeated: malformed('more than one Authorization header'),
  several_client_auth_methods: malformed('more than one way of client authentication'),
  client_id_mismatch: malformed('client_id differs from the authenticated client'),
  // The client is not who it says
  client_authentication_missing: NOT_AUTHENTICATED,
  authorization_unreadable: NOT_AUTHENTICATED,
  api_key_malformed: NOT_AUTHENTICATED,
  client_certificate_header_spoofed: NOT_AUTHENTICATED,
  client_certificate_header_malformed: NOT_AUTHENTICATED,
  client_assertion_type_unknown: NOT_AUTHENTICATED,
  client_assertion_malformed: NOT_AUTHENTICATED,
  client_assertion_wrong_typ: NOT_AUTHENTICATED,
  client_assertion_algorithm: NOT_AUTHENTICATED,
  client_assertion_claims: NOT_AUTHENTICATED,
  client_assertion_key_unknown: NOT_AUTHENTICATED,
  client_assertion_keys_unavailable: NOT_AUTHENTICATED,
  client_assertion_signature: NOT_AUTHENTICATED,
  client_assertion_audience: NOT_AUTHENTICATED,
  client_assertion_outdated: NOT_AUTHENTICATED,
  client_assertion_too_long_lived: NOT_AUTHENTICATED,
  client_assertion_replayed: NOT_AUTHENTICATED,
  certificate_missing: NOT_AUTHENTICATED,
  certificate_malformed: NOT_AUTHENTICATED,
  certificate_subject_mismatch: NOT_AUTHENTICATED,
  certificate_untrusted: NOT_AUTHENTICATED,
  certificate_not_yet_valid: NOT_AUTHENTICATED,
  certificate_expired: NOT_AUTHENTICATED,
  certificate_wrong_purpose: NOT_AUTHENTICATED,
  certificate_weak: NOT_AUTHENTICATED,
  certificate_outside_constraints: NOT_AUTHENTICATED,
  certificate_revoked: NOT_AUTHENTICATED,
  certificate_revocation_unknown: NOT_AUTHENTICATED,
  client_unknown: NOT_AUTHENTICATED,
  secret_mismatch: NOT_AUTHENTICATED,
  certificate_mismatch: NOT_AUTHENTICATED,
  credential_not_yet_valid: NOT_AUTHENTICATED,
  credential_expired: NOT_AUTHENTICATED,
  credential_suspended: NOT_AUTHENTICATED,
  credential_revoked: NOT_AUTHENTICATED,
  identity_not_active: NOT_AUTHENTICATED,
  identity_suspended: NOT_AUTHENTICATED,
  identity_decommissioned: NOT_AUTHENTICATED,
  identity_expired: NOT_AUTHENTICATED,
  // The assertion says nobody who may act
  assertion_missing: malformed('assertion is missing'),
  assertion_malformed: BAD_ASSERTION,
  assertion_issuer_unknown: BAD_ASSERTION,
  assertion_issuer_suspended: BAD_ASSERTION,
  assertion_wrong_typ: BAD_ASSERTION,
  assertion_algorithm_not_allowed: BAD_ASSERTION,
  assertion_keys_unavailable: BAD_ASSERTION,
  assertion_key_unknown: BAD_ASSERTION,
  assertion_signature: BAD_ASSERTION,
  assertion_audience: BAD_ASSERTION,
  assertion_expired: BAD_ASSERTION,
  assertion_not_yet_valid: BAD_ASSERTION,
  assertion_stale: BAD_ASSERTION,
  assertion_no_rule: BAD_ASSERTION,
  assertion_condition_not_met: BAD_ASSERTION,
  assertion_rule_not_usable: BAD_ASSERTION,
  assertion_ambiguous: BAD_ASSERTION,
  assertion_of_another_client: BAD_ASSERTION,
  assertion_replayed: BAD_ASSERTION,
  // The client may not have what it asks for
  resource_malformed: denied('invalid_target', 'resource is not an absolute URI without fragment'),
  several_resources: denied('invalid_target', 'one token is for one resource'),
  resource_missing: denied(
    'invalid_target',
    'resource is needed: the client has access to none or to several',
  ),
  resource_unknown: denied('invalid_target', 'the client has no access to this resource'),
  access_expired: denied('invalid_target', 'the client has no access to this resource'),
  access_missing: denied('invalid_target', 'the client has no access to this resource'),
  scope_malformed: denied('invalid_scope', 'scope is malformed'),
  scope_not_held: denied('invalid_scope', 'none of the scopes asked for is held'),
  subject_token_missing: denied('invalid_request', 'subject_token and subject_token_type are needed'),
  actor_token_incomplete: denied('invalid_request', 'actor_token and actor_token_type come together'),
  token_type_unsupported: denied('invalid_request', 'only access tokens are exchanged here'),
  subject_token_unknown: BAD_SUBJECT,
  // Whoever comes with it may have proved nothing yet.
  subject_token_not_trusted: { ...BAD_SUBJECT, stranger: true },
  subject_token_dead: BAD_SUBJECT,
  subject_token_not_for_client: BAD_SUBJECT,
  subject_token_bound: BAD_SUBJECT,
  actor_token_unacceptable: BAD_ACTOR,
  actor_not_permitted: BAD_SUBJECT,
  actor_chain_too_long: BAD_SUBJECT,
  subject_access_missing: denied('invalid_target', 'the client has no access to this resource'),
  subject_scope_not_held: denied('invalid_scope', 'none of the scopes asked for is held'),
  resource_not_delegable: denied('invalid_target', 'the client has no access to this resource'),
  several_sender_constraints: {
    ...malformed('a token is bound to one proof of possession'),
    stranger: false,
  },
  sender_constraint_missing: denied(
    'invalid_request',
    'the resource takes only tokens that are bound to their holder',
  ),
  api_key_rate_exceeded: USED_UP,
  issuance_quota_exceeded: USED_UP,
  method_not_allowed: denied('access_denied', 'a policy of this authority does not allow it'),
  credential_too_old: denied('access_denied', 'a policy of this authority does not allow it'),
  dpop_proof_repeated: BAD_PROOF,
  dpop_proof_malformed: BAD_PROOF,
  dpop_proof_signature: BAD_PROOF,
  dpop_proof_wrong_request: BAD_PROOF,
  dpop_proof_outdated: BAD_PROOF,
  dpop_proof_replayed: BAD_PROOF,
  dpop_nonce_missing: NONCE_NEEDED,
  dpop_nonce_unknown: NONCE_NEEDED,
  lifetime_exhausted: denied('access_denied', 'a policy of this authority does not allow it'),
  token_too_large: denied('invalid_scope', 'so many scopes do not fit into one token'),
  token_missing: { ...malformed('token is missing'), stranger: false },
  // RFC 6749 §5.2: "… or was issued to another client".
  token_of_another_client: denied('invalid_grant', 'the token was issued to another client'),
  // The authority cannot
  audit_unavailable: {
    code: 'temporarily_unavailable',
    status: 503,
    description: 'try again later',
    stranger: false,
  },
  storage_unavailable: {
    code: 'temporarily_unavailable',
    status: 503,
    description: 'try again later',
    stranger: false,
  },
};

export function refusalEntry(reason: RefusalReason): RefusalEntry {
  return REFUSALS[reason];
}

/** Thrown by a step of an OAuth endpoint; caught in the endpoint's story and nowhere else. */
export class Refusal extends Error {
  readonly reason: RefusalReason;
  /** What the caller needs beside the text, such as a nonce. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** What the operator is told beside the reason, as JSON has it; never a credential. */
  readonly evidence: Readonly<Record<string, unknown>> | undefined;
  constructor(
    reason: RefusalReason,
    headers?: Readonly<Record<string, string>>,
    evidence?: Readonly<Record<string, unknown>>,
  ) {
    // A refusal is an answer, not a bug: a flood of them must not pay for stack traces.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(reason);
    Error.stackTraceLimit = limit;
    this.name = 'Refusal';
    this.reason = reason;
    this.headers = headers;
    this.evidence = evidence;
  }
}
