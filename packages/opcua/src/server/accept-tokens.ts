// A node-opcua server that takes access tokens: OPC 10000-6 §6.5.2 (JSON Web Tokens as issued identity tokens).
import type { Verifier } from '@countersign/resource-server';
import type { NodeOpcua, Permission } from '../node-opcua.ts';
import { intercept } from './intercept.ts';
import { guardSubscriptions } from './monitored-items.ts';
import { readRights, type Rights, SCOPE_RIGHTS, type ScopeRights } from './scope-rights.ts';
import type { OpcUaServer, ServerCrypto, ServerHooks } from './server-hooks.ts';
import type { SessionEvent } from './session-event.ts';
import { offerTokens } from './token-policy.ts';
import { TokenSessions } from './token-sessions.ts';
import { createUse } from './use.ts';

export interface AcceptTokensOptions {
  /** Of this server as a resource server: its `audience` is `resource`. It is the caller's to close. */
  readonly verifier: Pick<Verifier, 'watch' | 'verify'>;
  /** The authority, which clients are told to ask. */
  readonly issuer: string;
  /** The identifier under which this server is registered there. Default: its ApplicationUri. */
  readonly resource?: string | undefined;
  /** Where tokens are asked for, as a path below the issuer. Default `oauth/token`. */
  readonly tokenEndpoint?: string | undefined;
  /** What each scope opens. Default: SCOPE_RIGHTS. */
  readonly rights?: ScopeRights | undefined;
  /**
   * Allows sessions without a token, with these permissions on every node that says nothing else: then a session that outlives its
   * token goes on as one of them. Default: nobody is anonymous, and the session is closed.
   */
  readonly anonymous?: readonly Permission[] | undefined;
  /** Told what happens to sessions; what it throws is nobody's business. */
  readonly onEvent?: ((event: SessionEvent) => void) | undefined;
  /** Epoch milliseconds. Default: the machine's clock. */
  readonly now?: (() => number) | undefined;
}

/** Who is there with a token. */
export interface OpenSession {
  readonly session: string;
  readonly clientId: string | undefined;
  readonly scopes: readonly string[];
  /** Epoch seconds. */
  readonly expiresAt: number;
}

export interface TokenGuard {
  /** Those that are open now. */
  sessions(): readonly OpenSession[];
  /** Gives namespaces that were added since their default permissions; until then nobody sees them. */
  declareRights(): void;
}

/**
 * Makes the server accept access tokens, and nothing else but what is declared. Initializes it where that has not been done; to be
 * called once, before it is started. `opcua` is `import * as opcua from 'node-opcua'`.
 * @throws TypeError where options or the server's endpoints do not allow it
 */
export async function acceptTokens(
  opcua: NodeOpcua,
  server: OpcUaServer,
  options: AcceptTokensOptions,
): Promise<TokenGuard> {
  const { verifier, issuer, anonymous, now = Date.now } = options;
  const declared = options.rights ?? SCOPE_RIGHTS;
  const rights = readRights(opcua, declared, anonymous);
  const onEvent = quietly(options.onEvent);
  if (!server.initialized) await server.initialize();
  const hooks = server as unknown as ServerHooks;
  const whole = opcua as NodeOpcua & ServerCrypto;
  const addressSpace = hooks.engine.addressSpace;
  if (addressSpace === null) throw new TypeError('server: it has no address space');
  const authority = {
    resource: options.resource ?? server.serverInfo.applicationUri ?? '',
    issuer,
    tokenEndpoint: options.tokenEndpoint ?? 'oauth/token',
    scopes: Object.keys(declared),
  };
  offerTokens(opcua, server, authority, anonymous !== undefined);
  // Its default is to allow whatever nobody has spoken of.
  server.unresolvedPermissionPolicy = 'deny';
  declareDefaults(hooks, rights);
  const countUse = createUse({ verifier, rights, opcua, now });
  const isAnonymous = anonymous !== undefined;
  const sessions = new TokenSessions({
    opcua: whole,
    server: hooks,
    verifier,
    rights,
    anonymous: isAnonymous,
    countUse,
    onEvent,
  });
  hooks.on('create_session', (session) => guardSubscriptions(opcua, session, addressSpace));
  intercept({ opcua, server: hooks, sessions, anonymous: isAnonymous, onEvent });
  return {
    sessions: () =>
      sessions.list().map(({ session, claims, scopes }) => ({
        session: session.nodeId.toString(),
        clientId: claims.client_id,
        scopes,
        expiresAt: claims.exp,
      })),
    declareRights: () => declareDefaults(hooks, rights),
  };
}

/** What a namespace has declared itself stays. */
function declareDefaults({ engine }: ServerHooks, rights: Rights): void {
  for (const namespace of engine.addressSpace?.getNamespaceArray() ?? []) {
    if (namespace.getDefaultRolePermissions() !== null) continue;
    namespace.setDefaultRolePermissions([...rights.defaults(namespace.index === 0)]);
  }
}

function quietly(onEvent: AcceptTokensOptions['onEvent']): (event: SessionEvent) => void {
  return (event) => {
    try {
      onEvent?.(event);
    } catch {
      // A log that fails must not decide about sessions.
    }
  };
}
