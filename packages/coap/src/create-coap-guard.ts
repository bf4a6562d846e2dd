// A guard in front of a CoAP server: the DTLS profile of ACE with pre-shared keys (RFC 9202 §3.3), its tokens by RFC 9200 §5.10.
import { randomBytes } from 'node:crypto';
import { kidOfPskIdentity } from '@countersign/cose';
import { followIssuer } from '@countersign/resource-server/followed-issuer';
import { type AuthzInfoDeps, TOKEN_BODIES } from './access/authz-info.ts';
import { createDerivationKeys } from './access/derivation-keys.ts';
import { createTokenStore, type HeldToken, TOKEN_STORE_LIMITS } from './access/token-store.ts';
import { createTokenVerifier } from './access/token-verifier.ts';
import { type Associations, createAssociations, DTLS_LIMITS } from './dtls/associations.ts';
import { CIPHER_SUITES } from './dtls/cipher-suite.ts';
import type { Psk } from './dtls/handshake.ts';
import type { Peer } from './dtls/session.ts';
import { createSourceBudget } from './dtls/source-budget.ts';
import { listenUdp, type UdpListener } from './dtls/udp-socket.ts';
import { GuardedSession, type GuardedSessionDeps } from './guard/guarded-session.ts';
import { handlerUpstream } from './guard/handler-upstream.ts';
import { createPlainEndpoint } from './guard/plain-endpoint.ts';
import { udpUpstream } from './guard/udp-upstream.ts';
import { Bodies } from './message/block1.ts';
import type { CoapGuardOptions, GuardEvent } from './options.ts';

export interface CoapGuard {
  /** Resolves when keys and cut-offs are known and the sockets are bound. Rejects `NotReadyError`, and what a socket says. */
  listen(): Promise<{ readonly dtls: number; readonly plain: number | undefined }>;
  /** For metrics. */
  counts(): { readonly handshakes: number; readonly sessions: number; readonly tokens: number };
  /** Ends every session with a close_notify. */
  close(): Promise<void>;
}

/** Milliseconds between two looks at the orders that are known, and at the clock. */
const LOOK_EVERY_MS = 50;
const TICK_EVERY_MS = 100;
/** Answers without DTLS, of one address. */
const PLAIN_PER_SECOND = 20;
const PLAIN_BURST = 100;

/** Nothing is fetched or bound before `listen`. @throws VerifierOptionError */
export function createCoapGuard(options: CoapGuardOptions): CoapGuard {
  const { audience, permissions } = options;
  const clock = options.clock ?? (() => Math.floor(Date.now() / 1000));
  const leeway = options.leeway ?? 5;
  const now = (): number => performance.now();
  const tell = (event: GuardEvent): void => {
    try {
      options.onEvent?.(event);
    } catch {
      // What goes wrong in it must not end a session.
    }
  };
  const issuer = followIssuer({ ...options, clock, leeway });
  const derivationKeys = createDerivationKeys(options.keys, audience, clock);
  const knowsScope = (scope: string): boolean => Object.hasOwn(permissions, scope);
  const verifier = createTokenVerifier({ issuer, audience, derivationKeys, knowsScope, clock, leeway });
  const store = createTokenStore({ ...TOKEN_STORE_LIMITS, ...options.limits?.tokens });
  const authzInfo: AuthzInfoDeps = {
    verifier,
    store,
    refused: (fault, address) => tell({ kind: 'token_refused', fault, address }),
  };
  const failed = (error: Error): void => tell({ kind: 'upstream_failed', error });
  const { upstream } = options;
  const sessions = new Set<GuardedSession>();
  const hints = {
    tokenEndpoint: options.tokenEndpoint ?? `${options.issuer.replace(/\/$/, '')}/oauth/token`,
    audience,
  };
  const sessionDeps: GuardedSessionDeps = {
    permissions,
    hints,
    verifier,
    store,
    authzInfo,
    tokenBodies: new Bodies(TOKEN_BODIES, now),
    tokenBudget: createSourceBudget(PLAIN_PER_SECOND, PLAIN_BURST, now),
    openUpstream:
      typeof upstream === 'function' ? handlerUpstream(upstream, failed, now) : udpUpstream(upstream, failed),
    told: (news) => tell(toEvent(news)),
    ended: (session) => void sessions.delete(session),
  };

  /** RFC 9202 §3.3.2: the name of a key whose token was brought before, or the token itself, which is stored then like any other. */
  async function lookup(identity: Uint8Array, { address }: Peer): Promise<Psk<HeldToken> | undefined> {
    const kid = kidOfPskIdentity(identity);
    const held = kid === undefined ? await brought(Uint8Array.from(identity), address) : store.byKid(kid);
    if (held === undefined || verifier.fallen(held) !== undefined) return undefined;
    return { key: held.key, holder: held };
  }

  async function brought(token: Uint8Array, address: string): Promise<HeldToken | undefined> {
    const held = await verifier.verify(token);
    const fault = typeof held === 'string' ? held : store.add(held, address);
    if (fault !== undefined) tell({ kind: 'token_refused', fault, address });
    return typeof held === 'string' || fault !== undefined ? undefined : held;
  }

  const dtls: Associations = createAssociations<HeldToken>({
    lookup,
    opened(session) {
      const { claims } = session.holder;
      store.add(session.holder, session.peer.address);
      store.proved(claims.kid);
      tell({
        kind: 'session_opened',
        sub: claims.sub,
        address: session.peer.address,
        cipherSuite: session.cipherSuite,
      });
      const guarded = new GuardedSession(sessionDeps, session);
      sessions.add(guarded);
      return { message: (bytes) => guarded.message(bytes), ended: (why) => guarded.ended(why) };
    },
    send: (datagram, peer) => listeners.dtls?.send(datagram, peer),
    refused: (fault, { address }) => tell({ kind: 'handshake_refused', fault, address }),
    random: (size) => new Uint8Array(randomBytes(size)),
    now,
    limits: { ...DTLS_LIMITS, ...options.limits?.dtls },
    suites: CIPHER_SUITES.filter(({ name }) => options.cipherSuites?.includes(name) ?? true),
  });
  const budget = createSourceBudget(PLAIN_PER_SECOND, PLAIN_BURST, now);
  const plain = createPlainEndpoint({
    permissions,
    hints,
    authzInfo,
    budget,
    bodies: new Bodies(TOKEN_BODIES, now),
  });
  const listeners: { dtls?: UdpListener; plain?: UdpListener } = {};
  const timers: NodeJS.Timeout[] = [];

  let seenOrders = issuer.orders;
  let seenSecond = 0;
  /** A session ends within moments of an order, and within a second of its token's end. */
  function look(): void {
    const orders = issuer.orders;
    const second = clock();
    if (orders === seenOrders && second === seenSecond) return;
    seenOrders = orders;
    seenSecond = second;
    for (const session of sessions) session.look();
    store.sweep((token) => isOver(verifier.fallen(token)));
  }

  return {
    async listen() {
      await Promise.all([issuer.ready(), derivationKeys.load()]);
      listeners.dtls = await listenUdp(options.dtls, (datagram, peer) => dtls.receive(datagram, peer));
      if (options.plain !== false) {
        listeners.plain = await listenUdp(options.plain, (datagram, peer) => {
          void plain(datagram, peer).then((answer) => {
            if (answer !== undefined) listeners.plain?.send(answer, peer);
          });
        });
      }
      timers.push(
        setInterval(look, LOOK_EVERY_MS),
        setInterval(() => dtls.tick(), TICK_EVERY_MS),
      );
      return { dtls: listeners.dtls.port, plain: listeners.plain?.port };
    },
    counts: () => ({ handshakes: dtls.handshakes, sessions: dtls.sessions, tokens: store.size }),
    async close() {
      for (const timer of timers) clearInterval(timer);
      dtls.close();
      issuer.close();
      await Promise.all([listeners.dtls?.close(), listeners.plain?.close()]);
    },
  };
}

function isOver(fault: ReturnType<ReturnType<typeof createTokenVerifier>['fallen']>): boolean {
  return fault !== undefined && fault !== 'cutoffs_stale';
}

function toEvent(news: Parameters<GuardedSessionDeps['told']>[0]): GuardEvent {
  if (news.kind === 'ended') return { kind: 'session_ended', sub: news.sub, why: news.why };
  return { kind: 'request_refused', sub: news.sub, code: news.code, path: news.path };
}
