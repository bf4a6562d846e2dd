// The face of @countersign/coap.
export type { DerivationKey, DerivationKeySource } from './access/derivation-keys.ts';
export type { Permission, Permissions } from './access/permissions.ts';
export type { TokenFault } from './access/refusal.ts';
export { type CoapGuard, createCoapGuard } from './create-coap-guard.ts';
export type { HandshakeFault } from './dtls/handshake.ts';
export type { CoapHandler, CoapRequest, CoapResponse } from './guard/handler-upstream.ts';
export type { UdpServer } from './guard/udp-upstream.ts';
export type { Method } from './message/request-target.ts';
export type { CoapGuardOptions, GuardEvent } from './options.ts';
