// The request came in CBOR, or should have: RFC 9200 §5.8.1 and §5.8.3.
import { CORRECT_THE_CLIENT, denied, malformed, type Reasons } from './entry.ts';

export type AceReason =
  | 'ace_malformed'
  | 'ace_pop_key_unsupported'
  | 'ace_pop_key_unknown'
  | 'ace_profile_missing'
  | 'cwt_by_form';

export const ACE_REFUSALS: Reasons<AceReason> = {
  ace_malformed: {
    ...malformed('the body is not well-formed'),
    why: 'The body is application/ace+cbor, but not one map in deterministic encoding with the types of RFC 9200.',
    fix: CORRECT_THE_CLIENT,
  },
  // RFC 9200 §5.8.3.
  ace_pop_key_unsupported: {
    ...malformed('req_cnf may only name a key that was given here: the authority chooses keys'),
    code: 'unsupported_pop_key',
    why: 'The request brings a proof-of-possession key of its own (req_cnf). Keys are chosen here.',
    fix: 'Leave req_cnf out: the key is in cnf of the answer. To renew the rights of that key, give its kid and nothing else.',
  },
  // RFC 9202 §4.
  ace_pop_key_unknown: {
    ...malformed('the key that req_cnf names is not known'),
    code: 'unsupported_pop_key',
    why: 'The kid in req_cnf is not of a key that this client was given for this resource server within a day, or the secret behind it has been rotated since.',
    fix: 'Ask without req_cnf: the answer brings a new key, with which the device begins a new session.',
  },
  // RFC 9200 §5.8.3.
  ace_profile_missing: {
    ...denied('incompatible_ace_profiles', 'tokens for this resource are asked for with a form'),
    why: 'The request came in CBOR, for a resource server whose tokens are not CBOR Web Tokens.',
    fix: 'Ask with application/x-www-form-urlencoded, or give the resource server token.format cwt.',
  },
  cwt_by_form: {
    ...denied('invalid_request', 'tokens for this resource are asked for with application/ace+cbor'),
    why: 'The request came as a form, for a resource server whose tokens are CBOR Web Tokens, which bring a key along.',
    fix: 'Ask with application/ace+cbor (RFC 9200 §5.8.1): docs/guide/coap.md.',
  },
};
