// What is used of a node-opcua client (2.182). Its `createUserIdentityToken` and `_activateSession` are private to its types.
import type { EndpointDescription, IssuedIdentityToken, NodeOpcua } from '../node-opcua.ts';

/** `OPCUAClient.create(…)`: securityMode, securityPolicy and certificates are whoever's who makes it. */
export interface OpcUaClient {
  connect(endpointUrl: string): Promise<void>;
  disconnect(): Promise<void>;
}

/** What the module has of use to a client. */
export type ClientOpcUa = Pick<NodeOpcua, 'UserTokenType' | 'IssuedIdentityToken'>;

export interface TokenContext {
  readonly endpoint: EndpointDescription;
  readonly securityPolicy: string;
  readonly serverCertificate: Buffer | null;
  readonly serverNonce: Buffer | undefined;
}

export interface TokenAndSignature {
  readonly userIdentityToken: IssuedIdentityToken;
  readonly userTokenSignature: object;
}

export type Answer<T> = (error: Error | null, result?: T) => void;

export interface IdentityInfo {
  readonly type?: number;
}

export interface HiddenSession {
  close(deleteSubscriptions?: boolean): Promise<void>;
}

/** The same client from inside. */
export interface ClientHooks extends OpcUaClient {
  createSession(info: IdentityInfo): Promise<HiddenSession>;
  createUserIdentityToken(context: TokenContext, info: IdentityInfo, answer: Answer<TokenAndSignature>): void;
  _activateSession(session: HiddenSession, info: IdentityInfo, answer: Answer<HiddenSession>): void;
}

/** The session type of a client, whose `createSession` has this among its overloads. */
export type SessionOf<C> = C extends {
  createSession(info?: never): Promise<infer Session>;
  createSession(info: never, callback: never): void;
  createSession(callback: never): void;
}
  ? Session
  : unknown;
