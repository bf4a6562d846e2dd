// MQTT control packet types: MQTT 5.0 §2.1.2, the same in MQTT 3.1.1 §2.2.1 but for AUTH.

export const CONNECT = 1;
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBSCRIBE = 8;
export const SUBACK = 9;
export const UNSUBSCRIBE = 10;
export const UNSUBACK = 11;
export const PINGREQ = 12;
export const PINGRESP = 13;
export const DISCONNECT = 14;
export const AUTH = 15;

/** Protocol levels: MQTT 3.1.1 §3.1.2.2, MQTT 5.0 §3.1.2.2. */
export type Version = 4 | 5;
