// The face of @countersign/opcua.
export type {
  NodeOpcua,
  Permission,
  WellKnownRole,
} from './node-opcua.ts';
export {
  acceptTokens,
  type AcceptTokensOptions,
  type OpenSession,
  type TokenGuard,
} from './server/accept-tokens.ts';
export type { OpcUaRefusalReason, SessionRefusalReason } from './server/refusal.ts';
export { SCOPE_RIGHTS, type ScopeRight, type ScopeRights } from './server/scope-rights.ts';
export type { OpcUaServer } from './server/server-hooks.ts';
export type { SessionEvent } from './server/session-event.ts';
export { connectOpcUa, type ConnectOptions, type OpcUaConnection } from './client/connect.ts';
export { ConnectionError, type ConnectionErrorCode } from './client/connection-error.ts';
export type { ClientOpcUa, OpcUaClient, SessionOf } from './client/node-opcua-client.ts';
