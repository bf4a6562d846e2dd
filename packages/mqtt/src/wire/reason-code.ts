// What a peer is told: MQTT 5.0 §2.4, and the return codes of MQTT 3.1.1 §3.2.2.3 (CONNACK) and §3.9.3 (SUBACK).

export const SUCCESS = 0x00;
export const REAUTHENTICATE = 0x19;
/** The first code that is a failure. */
export const FAILURE = 0x80;
export const MALFORMED_PACKET = 0x81;
export const PROTOCOL_ERROR = 0x82;
export const UNSUPPORTED_VERSION = 0x84;
export const IDENTIFIER_NOT_VALID = 0x85;
export const NOT_AUTHORIZED = 0x87;
export const SERVER_UNAVAILABLE = 0x88;
export const SHUTTING_DOWN = 0x8b;
export const BAD_AUTHENTICATION_METHOD = 0x8c;
export const TOPIC_NAME_INVALID = 0x90;
export const TOPIC_ALIAS_INVALID = 0x94;
export const PACKET_TOO_LARGE = 0x95;
export const QUOTA_EXCEEDED = 0x97;
export const ADMINISTRATIVE_ACTION = 0x98;

/** MQTT 3.1.1 §3.2.2.3. */
export const CONNACK_3 = {
  version: 1,
  identifier: 2,
  unavailable: 3,
  credentials: 4,
  notAuthorized: 5,
} as const;
