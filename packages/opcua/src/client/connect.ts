// A node-opcua client whose session is opened with an access token and kept with fresh ones: OPC 10000-4 §5.7.3 (ActivateSession with
// another token on the same session), OPC 10000-6 §6.5.2.3 (before the old one expires).
import type { AccessToken, Client } from '@countersign/client';
import { ConnectionError, statusIn } from './connection-error.ts';
import type { ClientHooks, ClientOpcUa, HiddenSession, OpcUaClient, SessionOf } from './node-opcua-client.ts';
import { sealToken } from './seal-token.ts';
import { TokenProvider } from './token-provider.ts';

export interface ConnectOptions<C extends OpcUaClient> {
  /** `OPCUAClient.create(…)`, not yet connected, with `securityMode` Sign or SignAndEncrypt. It is this connection's from now on. */
  readonly opcUaClient: C;
  readonly endpointUrl: string;
  /** Of `@countersign/client`: where tokens come from. It is the caller's to close. */
  readonly client: Pick<Client, 'token' | 'authorize'>;
  /**
   * The identifier of the server at the authority, mostly its ApplicationUri. What the server says of itself is not believed: it could
   * name another API and use the token there.
   */
  readonly resource: string;
  /** Default: everything held. */
  readonly scope?: string | undefined;
  /** Told when the session has another token. */
  readonly onRenewed?: (() => void) | undefined;
  /** From 0 to 1, to spread renewals. Default: Math.random. */
  readonly random?: (() => number) | undefined;
  /** Epoch milliseconds. Default: the machine's clock. */
  readonly now?: (() => number) | undefined;
}

export interface OpcUaConnection<Session> {
  /** Repaired by node-opcua after a lost connection, each time with a token of then. */
  readonly session: Session;
  /** Resolves when nothing more will come: with why, and `closed` after `close`. */
  readonly ended: Promise<ConnectionError>;
  close(): Promise<void>;
}

/** Part of its life after which a token is replaced, give or take a twentieth. The client has a new one from nine tenths on at the latest. */
const RENEW_AT = 0.9;
const JITTER = 0.05;
/** Milliseconds between two attempts to renew. */
const AGAIN_MS = 1000;
/** Refusals in a row, each of a token of its own, after which a server is believed. */
const MOST_REFUSALS = 3;

/** What a server says of the token or of whom it names; anything else may be another answer the next time. */
const FINAL: ReadonlySet<string> = new Set([
  'BadIdentityTokenInvalid',
  'BadIdentityTokenRejected',
  'BadIdentityChangeNotSupported',
  'BadUserAccessDenied',
  'BadSecurityModeInsufficient',
]);

/** The server has no such session any more. */
const GONE: ReadonlySet<string> = new Set(['BadSessionIdInvalid', 'BadSessionClosed']);

/** What every server has, and everybody may read: OPC 10000-5 §6.3.1. */
const SERVER_STATE = { nodeId: 'i=2259', attributeId: 13 };

/**
 * Connects and opens a session.
 * @throws ConnectionError
 */
export async function connectOpcUa<C extends OpcUaClient>(
  opcua: ClientOpcUa,
  options: ConnectOptions<C>,
): Promise<OpcUaConnection<SessionOf<C>>> {
  const connection = new Connection(opcua, options);
  await connection.open();
  return connection as unknown as OpcUaConnection<SessionOf<C>>;
}

class Connection {
  readonly #opcua: ClientOpcUa;
  readonly #options: ConnectOptions<OpcUaClient>;
  readonly #hooks: ClientHooks;
  readonly #tokens: TokenProvider;
  readonly #stop = new AbortController();
  readonly ended: Promise<ConnectionError>;
  #resolveEnded: (error: ConnectionError) => void = () => undefined;
  #end: ConnectionError | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #refusals = 0;
  /** What the session was activated with last. */
  #active: AccessToken | undefined;
  session: HiddenSession | undefined;

  constructor(opcua: ClientOpcUa, options: ConnectOptions<OpcUaClient>) {
    this.#opcua = opcua;
    this.#options = options;
    this.#hooks = options.opcUaClient as unknown as ClientHooks;
    this.#tokens = new TokenProvider({ ...options, signal: this.#stop.signal });
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  async open(): Promise<void> {
    this.#takeHold();
    try {
      await this.#hooks.connect(this.#options.endpointUrl);
      this.session = await this.#hooks.createSession(this.#identity());
    } catch (error) {
      const failure = this.#end ?? failureOf(error);
      await this.#finish(failure);
      throw failure;
    }
  }

  async close(): Promise<void> {
    await this.#finish(new ConnectionError('closed', 'the connection was closed'));
  }

  /** In the place of a token: node-opcua keeps what it is given, and would come with it again. */
  #identity(): { readonly type: number } {
    return { type: this.#opcua.UserTokenType.IssuedToken };
  }

  #takeHold(): void {
    const hooks = this.#hooks;
    const { createUserIdentityToken: create, _activateSession: activate } = hooks;
    hooks.createUserIdentityToken = (context, info, answer) => {
      if (info?.type !== this.#opcua.UserTokenType.IssuedToken) {
        create.call(hooks, context, info, answer);
        return;
      }
      this.#tokens
        .next()
        .then(({ accessToken }) => sealToken(this.#opcua, accessToken, context))
        .then(
          (userIdentityToken) => answer(null, { userIdentityToken, userTokenSignature: {} }),
          (error: unknown) => {
            const failure = failureOf(error);
            if (failure.code !== 'unreachable') this.#giveUp(failure);
            answer(failure);
          },
        );
    };
    hooks._activateSession = (session, info, answer) => {
      activate.call(hooks, session, info, (error, opened) => {
        this.#noteAnswer(error);
        answer(error, opened);
      });
    };
  }

  #noteAnswer(error: Error | null): void {
    if (error === null) {
      this.#refusals = 0;
      // Also where node-opcua has repaired the session by itself.
      this.#active = this.#tokens.last;
      this.#schedule();
      return;
    }
    if (error instanceof ConnectionError) return;
    const status = statusIn(error.message);
    if (status === undefined || !FINAL.has(status)) return;
    // The first session is opened or not; one that was open deserves another token.
    const most = this.session === undefined ? 1 : MOST_REFUSALS;
    if (++this.#refusals >= most) {
      this.#giveUp(new ConnectionError('refused_by_server', `the server answered ${status}`, { status }));
      return;
    }
    // It may have been cut off or its key withdrawn since it was kept. node-opcua tries again in two seconds; the authority's no is final.
    this.#tokens.replace().catch((error: unknown) => {
      const failure = failureOf(error);
      if (failure.code !== 'unreachable') this.#giveUp(failure);
    });
  }

  #schedule(): void {
    const { now = Date.now, random = Math.random } = this.#options;
    const token = this.#active;
    if (token === undefined || this.#end !== undefined) return;
    const left = token.expiresAt * 1000 - now();
    const part = RENEW_AT + JITTER * (2 * random() - 1);
    this.#wake(Math.max(AGAIN_MS, left * part));
  }

  #wake(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#renew(), ms);
    this.#timer.unref?.();
  }

  async #renew(): Promise<void> {
    if (this.#end !== undefined || this.session === undefined) return;
    const next = await this.#tokens.next().catch((error: unknown) => {
      const failure = failureOf(error);
      if (failure.code !== 'unreachable') this.#giveUp(failure);
      return undefined;
    });
    if (this.#end !== undefined) return;
    // The client still gives out the old one while it fetches another.
    if (next === undefined || next.accessToken === this.#active?.accessToken) {
      this.#wake(AGAIN_MS);
      return;
    }
    const error = await this.#activate(this.session);
    if (this.#end !== undefined) return;
    if (error === null) {
      this.#options.onRenewed?.();
      return;
    }
    // A session that has ended is not renewed; the next request makes node-opcua open another, and nobody else may have one to send.
    if (GONE.has(statusIn(error.message) ?? '')) {
      void this.session.read(SERVER_STATE).catch(() => undefined);
    }
    this.#wake(AGAIN_MS);
  }

  #activate(session: HiddenSession): Promise<Error | null> {
    return new Promise((resolve) => {
      this.#hooks._activateSession(session, this.#identity(), (error) => resolve(error));
    });
  }

  #giveUp(failure: ConnectionError): void {
    void this.#finish(failure);
  }

  /** Once: ends what node-opcua would try for ever. */
  async #finish(reason: ConnectionError): Promise<void> {
    if (this.#end !== undefined) return;
    this.#end = reason;
    clearTimeout(this.#timer);
    this.#stop.abort();
    if (reason.code === 'closed') await this.session?.close(true).catch(() => undefined);
    await this.#hooks.disconnect().catch(() => undefined);
    this.#resolveEnded(reason);
  }
}

function failureOf(error: unknown): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const message = error instanceof Error ? error.message : '';
  const status = statusIn(message);
  return status !== undefined && FINAL.has(status)
    ? new ConnectionError('refused_by_server', `the server answered ${status}`, { status, cause: error })
    : new ConnectionError('unreachable', 'there is no session with the server', { status, cause: error });
}
