// Why a request is refused, and what its caller is told: RFC 6750 §3.1, RFC 9449 §7.1. Two layers: reasons for logs, codes for the wire.
import {
  type TokenScheme,
  writeChallenge,
  DPOP_ALGORITHMS,
  formatScope,
  type OAuthErrorCode,
  type ScopeToken,
} from '@countersign/protocol/portable';

/** Every reason there is. For logs and metrics; never sent. */
export type RefusalReason =
  | 'no_token'
  | 'unsupported_scheme'
  | 'malformed_authorization'
  | 'several_authorizations'
  | 'malformed_token'
  | 'bad_claims'
  | 'wrong_typ'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'expired'
  | 'not_yet_valid'
  | 'issued_in_the_future'
  | 'algorithm_not_allowed'
  | 'unknown_key'
  | 'bad_signature'
  | 'sender_constraint_not_supported'
  | 'token_not_bound'
  | 'bound_token_as_bearer'
  | 'unbound_token_as_dpop'
  | 'dpop_proof_missing'
  | 'dpop_proof_repeated'
  | 'dpop_proof_malformed'
  | 'dpop_proof_signature'
  | 'dpop_proof_wrong_request'
  | 'dpop_proof_outdated'
  | 'dpop_proof_replayed'
  | 'dpop_key_mismatch'
  | 'dpop_nonce_missing'
  | 'dpop_nonce_unknown'
  | 'certificate_missing'
  | 'certificate_mismatch'
  | 'not_active'
  | 'cut_off'
  | 'insufficient_scope'
  | 'renewed_by_another'
  | 'api_key_refused'
  | 'api_keys_unavailable'
  | 'keys_unavailable'
  | 'introspection_unavailable'
  | 'cutoffs_stale'
  | 'used_proofs_unavailable'
  | 'closed';

export interface Refusal {
  readonly ok: false;
  readonly status: 400 | 401 | 403 | 503;
  /** The registered code for the wire; none when no token was sent and when the fault is not the caller's. */
  readonly error: OAuthErrorCode | undefined;
  readonly reason: RefusalReason;
  /** What exactly was found, for logs. */
  readonly detail: string | undefined;
  /** To be sent with the response: the challenge, `Retry-After`, `Cache-Control`. */
  readonly headers: Record<string, string>;
}

interface Answer {
  readonly status: Refusal['status'];
  readonly error?: OAuthErrorCode;
}

const NO_CREDENTIALS: Answer = { status: 401 };
const BAD_REQUEST: Answer = { status: 400, error: 'invalid_request' };
const BAD_TOKEN: Answer = { status: 401, error: 'invalid_token' };
const BAD_PROOF: Answer = { status: 401, error: 'invalid_dpop_proof' };
const NONCE: Answer = { status: 401, error: 'use_dpop_nonce' };
const UNAVAILABLE: Answer = { status: 503 };

/** What is said of a token that is none, or none for here: what exactly is wrong with it, its bearer need not know. */
type BadToken =
  | 'malformed_token'
  | 'bad_claims'
  | 'wrong_typ'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'expired'
  | 'not_yet_valid'
  | 'issued_in_the_future'
  | 'algorithm_not_allowed'
  | 'unknown_key'
  | 'bad_signature'
  | 'sender_constraint_not_supported'
  | 'token_not_bound'
  // RFC 9449 §7.2.
  | 'bound_token_as_bearer'
  | 'unbound_token_as_dpop'
  | 'dpop_key_mismatch'
  // RFC 8705 §3.
  | 'certificate_missing'
  | 'certificate_mismatch'
  | 'not_active'
  | 'cut_off'
  | 'renewed_by_another'
  // Wrong, ended, or without access to this API: which it was, only the authority tells, and only its operator.
  | 'api_key_refused';

/** Every other reason; one that is not here is answered as a bad token. */
const ANSWERS: { readonly [reason in Exclude<RefusalReason, BadToken>]: Answer } = {
  // RFC 6750 §3.1: without credentials, no error code.
  no_token: NO_CREDENTIALS,
  unsupported_scheme: NO_CREDENTIALS,
  malformed_authorization: BAD_REQUEST,
  several_authorizations: BAD_REQUEST,
  // RFC 9449 §7.1: the proof's own faults have a code of their own.
  dpop_proof_missing: BAD_PROOF,
  dpop_proof_repeated: BAD_PROOF,
  dpop_proof_malformed: BAD_PROOF,
  dpop_proof_signature: BAD_PROOF,
  dpop_proof_wrong_request: BAD_PROOF,
  dpop_proof_outdated: BAD_PROOF,
  dpop_proof_replayed: BAD_PROOF,
  dpop_nonce_missing: NONCE,
  dpop_nonce_unknown: NONCE,
  insufficient_scope: { status: 403, error: 'insufficient_scope' },
  api_keys_unavailable: UNAVAILABLE,
  keys_unavailable: UNAVAILABLE,
  introspection_unavailable: UNAVAILABLE,
  cutoffs_stale: UNAVAILABLE,
  used_proofs_unavailable: UNAVAILABLE,
  closed: UNAVAILABLE,
};

function answerTo(reason: RefusalReason): Answer {
  return (ANSWERS as { readonly [reason in RefusalReason]?: Answer })[reason] ?? BAD_TOKEN;
}

export interface RefusalContext {
  /** URL of the RFC 9728 document, where there is one. */
  readonly resourceMetadata: string | undefined;
  /** What the request needed; named only when that is what it lacks. */
  readonly scope?: readonly ScopeToken[];
  readonly detail?: string | undefined;
  /** The ways in which a token may be presented here; the challenge names each. Default: as bearer. */
  readonly schemes?: readonly TokenScheme[];
}

const ALGS = DPOP_ALGORITHMS.join(' ');

/** The refusal for a reason, complete with the headers to send. */
export function refusal(reason: RefusalReason, context: RefusalContext): Refusal {
  const { status, error } = answerTo(reason);
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
  if (status === 503) headers['Retry-After'] = '5';
  else headers['WWW-Authenticate'] = challengeOf(error, context);
  return { ok: false, status, error, reason, detail: context.detail, headers };
}

function challengeOf(
  error: OAuthErrorCode | undefined,
  { scope, resourceMetadata, schemes = ['Bearer'] }: RefusalContext,
): string {
  const facts = {
    error,
    scope: error === 'insufficient_scope' && scope ? formatScope(scope) : undefined,
    resource_metadata: resourceMetadata,
  };
  return schemes
    .map((scheme) => writeChallenge(scheme, { ...facts, algs: scheme === 'DPoP' ? ALGS : undefined }))
    .join(', ');
}
