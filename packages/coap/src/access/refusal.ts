// Why a token is not taken, and the code for it: RFC 9200 §5.10.1, RFC 7252 §5.9.
import { CODE } from '../message/coap-message.ts';

/** Every reason there is. For logs and metrics; never sent. */
export type TokenFault =
  | 'malformed'
  | 'unknown_protection'
  | 'unknown_key'
  | 'keys_unavailable'
  | 'bad_signature'
  | 'bad_claims'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'expired'
  | 'issued_in_the_future'
  | 'unknown_scope'
  | 'unknown_derivation_key'
  | 'cut_off'
  | 'cutoffs_stale'
  | 'key_of_another'
  | 'older_token'
  | 'too_many_tokens';

/**
 * RFC 9200 §5.10.1.1: 4.01 where the protection of a token fails, for another issuer and for one that is over; 4.03 for another audience; 4.00 for a
 * scope that means nothing here, and where claims cannot be had. What is ours to repair is 5.03 (RFC 7252 §5.9.3.4).
 */
export const FAULT_CODES: { readonly [fault in TokenFault]: number } = {
  malformed: CODE.badRequest,
  unknown_protection: CODE.unauthorized,
  unknown_key: CODE.unauthorized,
  keys_unavailable: CODE.serviceUnavailable,
  bad_signature: CODE.unauthorized,
  bad_claims: CODE.badRequest,
  wrong_issuer: CODE.unauthorized,
  wrong_audience: CODE.forbidden,
  expired: CODE.unauthorized,
  issued_in_the_future: CODE.unauthorized,
  unknown_scope: CODE.badRequest,
  unknown_derivation_key: CODE.unauthorized,
  cut_off: CODE.unauthorized,
  cutoffs_stale: CODE.serviceUnavailable,
  key_of_another: CODE.unauthorized,
  older_token: CODE.unauthorized,
  too_many_tokens: CODE.serviceUnavailable,
};
