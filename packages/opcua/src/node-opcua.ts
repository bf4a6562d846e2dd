// What is used of node-opcua, by its shape: the package is handed over by whoever has installed it, so that there is one copy of it
// in the process, and none where nobody needs it.

/** A result of a service: OPC 10000-4 §7.38. */
export interface StatusCode {
  readonly name: string;
  isGood(): boolean;
}

export interface NodeId {
  toString(): string;
}

/** The statuses that are answered here. */
export type StatusName =
  | 'Good'
  | 'BadIdentityTokenInvalid'
  | 'BadIdentityTokenRejected'
  | 'BadIdentityChangeNotSupported'
  | 'BadUserAccessDenied'
  | 'BadSecurityModeInsufficient'
  | 'BadResourceUnavailable'
  | 'BadTooManyOperations'
  | 'BadSessionClosed'
  | 'BadInternalError';

/** OPC 10000-3 §4.9.2. */
export type WellKnownRole =
  | 'Anonymous'
  | 'AuthenticatedUser'
  | 'Observer'
  | 'Operator'
  | 'Engineer'
  | 'Supervisor'
  | 'ConfigureAdmin'
  | 'SecurityAdmin';

/** OPC 10000-3 §8.55. */
export type Permission =
  | 'Browse'
  | 'ReadRolePermissions'
  | 'WriteAttribute'
  | 'WriteRolePermissions'
  | 'WriteHistorizing'
  | 'Read'
  | 'Write'
  | 'ReadHistory'
  | 'InsertHistory'
  | 'ModifyHistory'
  | 'DeleteHistory'
  | 'ReceiveEvents'
  | 'Call'
  | 'AddReference'
  | 'RemoveReference'
  | 'DeleteNode'
  | 'AddNode';

/** OPC 10000-4 §7.40.6. */
export interface IssuedIdentityToken {
  policyId: string | null;
  tokenData: Buffer;
  encryptionAlgorithm: string | null;
}

/** OPC 10000-4 §7.42. */
export interface UserTokenPolicy {
  policyId: string | null;
  tokenType: number;
  issuedTokenType: string | null;
  issuerEndpointUrl: string | null;
  securityPolicyUri: string | null;
}

export interface EndpointDescription {
  securityMode: number;
  securityPolicyUri: string | null;
  userIdentityTokens: UserTokenPolicy[] | null;
}

export interface RolePermission {
  readonly roleId: NodeId;
  readonly permissions: number;
}

/** `import * as opcua from 'node-opcua'`. */
export interface NodeOpcua {
  readonly StatusCodes: { readonly [name in StatusName]: StatusCode };
  readonly UserTokenType: { readonly Anonymous: number; readonly IssuedToken: number };
  readonly MessageSecurityMode: { readonly Sign: number; readonly SignAndEncrypt: number };
  readonly AttributeIds: { readonly Value: number; readonly EventNotifier: number };
  readonly PermissionFlag: { readonly [name in Permission]: number };
  readonly WellKnownRoles: { readonly [name in WellKnownRole]: number };
  resolveNodeId(id: string | number): NodeId;
  readonly UserTokenPolicy: new (options: object) => UserTokenPolicy;
  readonly IssuedIdentityToken: new (options: object) => IssuedIdentityToken;
  readonly UserNameIdentityToken: new (options: object) => object;
  readonly AnonymousIdentityToken: new (options: object) => object;
}
