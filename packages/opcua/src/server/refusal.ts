// Why a session is not opened, and what its client is told: reasons for logs, status codes of ActivateSession (OPC 10000-4 §5.7.3.3)
// for the wire.
import type { RefusalReason } from '@countersign/resource-server';
import type { StatusName } from '../node-opcua.ts';

/** Reasons that only OPC UA knows; those of tokens are the verifier's. */
export type OpcUaRefusalReason =
  | 'no_such_policy'
  | 'insecure_channel'
  | 'token_not_encrypted'
  | 'wrong_encryption'
  | 'token_too_long'
  | 'undecipherable_token'
  | 'no_rights'
  | 'another_caller'
  | 'activation_under_way'
  | 'session_gone'
  | 'fault';

export type SessionRefusalReason = RefusalReason | OpcUaRefusalReason;

/** For logs; of the reason nothing is sent. */
export interface SessionRefusal {
  readonly reason: SessionRefusalReason;
  readonly detail?: string | undefined;
}

const OPENED_BY_NOBODY: StatusName = 'BadIdentityTokenInvalid';
const LATER: StatusName = 'BadResourceUnavailable';

/** Every reason that is not simply a token that is none for here. */
const STATUSES: { readonly [reason in SessionRefusalReason]?: StatusName } = {
  no_such_policy: OPENED_BY_NOBODY,
  token_not_encrypted: OPENED_BY_NOBODY,
  wrong_encryption: OPENED_BY_NOBODY,
  token_too_long: OPENED_BY_NOBODY,
  // One status, whether the key, the padding or the nonce was wrong: whoever probes learns nothing of which.
  undecipherable_token: OPENED_BY_NOBODY,
  malformed_token: OPENED_BY_NOBODY,
  insecure_channel: 'BadSecurityModeInsufficient',
  no_rights: 'BadUserAccessDenied',
  insufficient_scope: 'BadUserAccessDenied',
  another_caller: 'BadIdentityChangeNotSupported',
  renewed_by_another: 'BadIdentityChangeNotSupported',
  activation_under_way: 'BadTooManyOperations',
  session_gone: 'BadSessionClosed',
  fault: 'BadInternalError',
  keys_unavailable: LATER,
  introspection_unavailable: LATER,
  cutoffs_stale: LATER,
  api_keys_unavailable: LATER,
  used_proofs_unavailable: LATER,
  closed: LATER,
};

/** What the client is told. */
export function statusOf({ reason }: SessionRefusal): StatusName {
  return STATUSES[reason] ?? 'BadIdentityTokenRejected';
}
