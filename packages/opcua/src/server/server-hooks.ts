// What is used of a node-opcua server (2.182). The part that its types call protected is taken hold of in one place: intercept.ts.
import type { EndpointDescription, NodeId, RolePermission, StatusCode } from '../node-opcua.ts';

export interface MonitoredNode {
  readonly nodeId: NodeId;
}

/** A monitored item, and the request for one. */
export interface ItemRequest {
  readonly itemToMonitor: { readonly attributeId: number; readonly nodeId: NodeId };
}

export interface ServerSubscription {
  preCreateMonitoredItem(addressSpace: unknown, timestamps: unknown, request: ItemRequest): object;
  getMonitoredItems(): { readonly serverHandles: Iterable<number> };
  getMonitoredItem(id: number): ItemRequest | null;
  removeMonitoredItem(id: number): unknown;
}

/** `ISessionContext` of node-opcua: whom every permission is asked of. */
export interface SessionContext {
  getUserName(): string;
  getCurrentUserRoles(): NodeId[];
  checkPermission(node: MonitoredNode, permission: number): boolean;
}

export interface ServerSession {
  readonly authenticationToken: NodeId;
  readonly nodeId: NodeId;
  readonly status: string;
  readonly nonce?: Buffer;
  readonly endpoint?: EndpointDescription;
  readonly sessionContext: SessionContext;
  readonly publishEngine?: { readonly subscriptions: readonly ServerSubscription[] } | null;
  userIdentityToken?: object;
  on(event: string, listener: (...args: never[]) => void): unknown;
}

export interface ServerChannel {
  readonly securityMode: number;
  readonly securityPolicy: string;
  readonly clientCertificate: Buffer | null;
  getKeyOperations(): unknown;
}

export interface ServerNamespace {
  readonly index: number;
  getDefaultRolePermissions(): readonly unknown[] | null;
  setDefaultRolePermissions(permissions: RolePermission[] | null): void;
}

export interface ServerAddressSpace {
  getNamespaceArray(): readonly ServerNamespace[];
  findNode(id: NodeId): MonitoredNode | null;
}

/** A server of node-opcua, as far as it is used here. */
export interface OpcUaServer {
  readonly initialized: boolean;
  initialize(): Promise<void>;
  readonly serverInfo: { readonly applicationUri: string | null };
  readonly endpoints: readonly { endpointDescriptions(): readonly EndpointDescription[] }[];
  readonly engine: { readonly addressSpace: object | null };
  unresolvedPermissionPolicy: string;
}

export interface ActivateMessage {
  readonly request: {
    readonly requestHeader: { readonly authenticationToken: NodeId };
    userIdentityToken?: object | null | undefined;
  };
}

export type ValidityAnswer = (error: Error | null, status?: StatusCode) => void;
export type AuthorizedAnswer = (error: Error | null, authorized?: boolean, status?: StatusCode) => void;

/** The same server from inside. */
export interface ServerHooks {
  readonly engine: {
    readonly addressSpace: ServerAddressSpace | null;
    getSession(authenticationToken: NodeId): ServerSession | null;
    closeSession(authenticationToken: NodeId, deleteSubscriptions: boolean, reason: 'Terminated'): void;
  };
  _on_ActivateSessionRequest(message: ActivateMessage, channel: ServerChannel): void;
  isValidUserIdentityToken(
    channel: ServerChannel,
    session: ServerSession,
    token: object,
    signature: unknown,
    endpoint: EndpointDescription,
    answer: ValidityAnswer,
  ): void;
  isUserAuthorized(
    channel: ServerChannel,
    session: ServerSession,
    token: object,
    answer: AuthorizedAnswer,
  ): void;
  on(event: 'create_session', listener: (session: ServerSession) => void): unknown;
}

/** What is used of the module beside its public face: it decrypts with keys that may not be in this process. */
export interface ServerCrypto {
  getCryptoFactory(securityPolicy: string): object | null;
  asymmetricDecryptWithKeyOps(factory: object, data: Buffer, keys: unknown): Promise<Buffer>;
}
