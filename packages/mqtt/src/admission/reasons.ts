// Why a connection is refused or ended, and what its client is told: MQTT 5.0 §3.2.2.2, §3.14.2.1; MQTT 3.1.1 §3.2.2.3.
import type { RefusalReason } from '@countersign/resource-server';
import {
  ADMINISTRATIVE_ACTION,
  BAD_AUTHENTICATION_METHOD,
  CONNACK_3,
  IDENTIFIER_NOT_VALID,
  NOT_AUTHORIZED,
  QUOTA_EXCEEDED,
  SERVER_UNAVAILABLE,
  SHUTTING_DOWN,
} from '../wire/reason-code.ts';

/** Reasons of our own, beside those of the verifier. For logs and metrics; never sent. */
export type Reason =
  | RefusalReason
  /** The token opens no topic for this client. */
  | 'no_topics'
  | 'client_id_of_another'
  /** A session that shall outlive its connection, without a name to find it by. */
  | 'client_id_missing'
  | 'will_not_allowed'
  | 'unknown_authentication_method'
  | 'malformed_authentication_data'
  | 'too_many_connections'
  | 'publish_denied'
  | 'broker_unavailable'
  /** A broker that was given some of its hooks only. */
  | 'hook_missing'
  | 'broker_gone'
  | 'broker_malformed'
  | 'stopping';

/** How a connection ended; `left`: by itself. The last two get no answer, for that would cost more than closing. */
export type End =
  | Reason
  | 'left'
  | 'malformed'
  /** TLS handshakes under way, and CONNECTs that are not there yet. */
  | 'too_many_handshakes'
  /** CONNECTs that nothing has been decided about. */
  | 'too_many_waiting';

export interface Answer {
  /** MQTT 5, in CONNACK and DISCONNECT. */
  readonly code: number;
  /** MQTT 3.1.1, in CONNACK. */
  readonly code3: (typeof CONNACK_3)['identifier' | 'unavailable' | 'credentials' | 'notAuthorized'];
}

const UNAVAILABLE: Answer = { code: SERVER_UNAVAILABLE, code3: CONNACK_3.unavailable };
/** What exactly is wrong with a token, its bearer need not know. */
const BAD_TOKEN: Answer = { code: NOT_AUTHORIZED, code3: CONNACK_3.credentials };
const DENIED: Answer = { code: NOT_AUTHORIZED, code3: CONNACK_3.notAuthorized };

/** Every reason but those of a bad token. */
const ANSWERS: { readonly [reason in Reason]?: Answer } = {
  cut_off: { code: ADMINISTRATIVE_ACTION, code3: CONNACK_3.notAuthorized },
  no_topics: DENIED,
  will_not_allowed: DENIED,
  publish_denied: DENIED,
  client_id_of_another: { code: IDENTIFIER_NOT_VALID, code3: CONNACK_3.identifier },
  client_id_missing: { code: IDENTIFIER_NOT_VALID, code3: CONNACK_3.identifier },
  unknown_authentication_method: { code: BAD_AUTHENTICATION_METHOD, code3: CONNACK_3.credentials },
  too_many_connections: { code: QUOTA_EXCEEDED, code3: CONNACK_3.unavailable },
  broker_unavailable: UNAVAILABLE,
  hook_missing: UNAVAILABLE,
  broker_gone: UNAVAILABLE,
  broker_malformed: UNAVAILABLE,
  api_keys_unavailable: UNAVAILABLE,
  keys_unavailable: UNAVAILABLE,
  introspection_unavailable: UNAVAILABLE,
  cutoffs_stale: UNAVAILABLE,
  used_proofs_unavailable: UNAVAILABLE,
  closed: { code: SHUTTING_DOWN, code3: CONNACK_3.unavailable },
  stopping: { code: SHUTTING_DOWN, code3: CONNACK_3.unavailable },
};

export function answerTo(reason: Reason): Answer {
  return ANSWERS[reason] ?? BAD_TOKEN;
}
