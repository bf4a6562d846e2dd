// All sessions that tokens have opened: ActivateSession with a token (OPC 10000-4 §5.7.3), with another one on the same session, and
// their end (OPC 10000-6 §6.5.2.3: closed where nobody may be anonymous, else anonymous from then on).
import type { Refusal, Verified, Verifier, Watched } from '@countersign/resource-server';
import type { NodeOpcua } from '../node-opcua.ts';
import { dropForbiddenItems } from './monitored-items.ts';
import { type PresentedIdentity, readToken } from './read-token.ts';
import type { SessionRefusal } from './refusal.ts';
import type { Rights } from './scope-rights.ts';
import type { ServerCrypto, ServerHooks, ServerSession } from './server-hooks.ts';
import { type SessionEvent, sessionEvent } from './session-event.ts';
import { answerFor, answerForNobody, type PresentedToken, TokenSession } from './token-session.ts';
import type { CountUse } from './use.ts';

export interface TokenSessionsDeps {
  readonly opcua: NodeOpcua & ServerCrypto;
  readonly server: Pick<ServerHooks, 'engine'>;
  readonly verifier: Pick<Verifier, 'watch'>;
  readonly rights: Rights;
  /** Whether a session outlives its token as an anonymous one. */
  readonly anonymous: boolean;
  readonly countUse: CountUse;
  readonly onEvent: (event: SessionEvent) => void;
}

/** What was accepted, to be put into force in the moment in which node-opcua says that the session is open. */
export type Activation = () => void;

export class TokenSessions {
  readonly #deps: TokenSessionsDeps;
  readonly #held = new Map<ServerSession, TokenSession>();
  /** Whose a session was that has become anonymous: nobody else may have its subscriptions. */
  readonly #formerly = new WeakMap<ServerSession, Verified['claims']>();
  readonly #underWay = new WeakSet<ServerSession>();

  constructor(deps: TokenSessionsDeps) {
    this.#deps = deps;
  }

  /** Those that are open with a token now. */
  list(): readonly TokenSession[] {
    return [...this.#held.values()];
  }

  /** What the session is called in the server: the same for as long as its token's caller has it. */
  nameOf(session: ServerSession | null): string | undefined {
    return session === null ? undefined : this.#held.get(session)?.name;
  }

  /** Reads and verifies the token; nothing has changed yet when it resolves to an activation. */
  async present(session: ServerSession, identity: PresentedIdentity): Promise<Activation | SessionRefusal> {
    // The nonce is good for one activation, and there is another one only after it.
    if (this.#underWay.has(session)) return { reason: 'activation_under_way' };
    this.#underWay.add(session);
    try {
      const { opcua } = this.#deps;
      const token = await readToken(opcua, identity);
      if (typeof token !== 'string') return token;
      const presented = { token, certificate: identity.channel.clientCertificate ?? undefined };
      const known = this.#held.get(session);
      return known === undefined || known.ended !== undefined
        ? await this.#open(session, presented)
        : await this.#renew(known, presented);
    } finally {
      this.#underWay.delete(session);
    }
  }

  async #open(session: ServerSession, presented: PresentedToken): Promise<Activation | SessionRefusal> {
    const { rights, verifier } = this.#deps;
    const { token, certificate } = presented;
    // A token that is bound to a certificate is bound to the client's application certificate (RFC 8705 §3).
    const watched = await verifier.watch(token, { certificate });
    if (!watched.ok) return refusalOf(watched);
    const finding = this.#mayOpen(session, watched);
    const roles = rights.rolesOf(watched.scopes);
    if (finding !== undefined || roles === undefined) {
      watched.stop();
      return finding ?? { reason: 'no_rights' };
    }
    return () => this.#hold(new TokenSession(session, watched, presented, roles));
  }

  #mayOpen(session: ServerSession, { claims }: Watched): SessionRefusal | undefined {
    if (isGone(session)) return { reason: 'session_gone' };
    const before = this.#formerly.get(session);
    const same = before === undefined || (before.iss === claims.iss && before.sub === claims.sub);
    return same ? undefined : { reason: 'another_caller' };
  }

  async #renew(known: TokenSession, presented: PresentedToken): Promise<Activation | SessionRefusal> {
    const { token, certificate } = presented;
    // Of another caller it is refused, and the token before holds until its end.
    const result = await known.watched.renew(token, { certificate });
    if (!result.ok) return refusalOf(result);
    const roles = this.#deps.rights.rolesOf(result.scopes);
    known.presented = presented;
    // The authority has taken everything away: so it is, whatever is answered.
    this.#change(known, roles ?? []);
    if (roles === undefined) {
      this.#end(known, { reason: 'no_rights' });
      return { reason: 'no_rights' };
    }
    if (isGone(known.session)) return { reason: 'session_gone' };
    return () => this.#tell('renewed', known);
  }

  #hold(held: TokenSession): void {
    const { session, watched } = held;
    const { countUse } = this.#deps;
    this.#held.set(session, held);
    this.#formerly.set(session, held.claims);
    answerFor(held, countUse);
    this.#sweep(session);
    const end = (): void => this.#end(held, refusalOf(watched.signal.reason as Refusal));
    session.on('session_closed', () => this.#forget(held));
    if (watched.signal.aborted) end();
    else watched.signal.addEventListener('abort', end);
    this.#tell('opened', held);
  }

  #change(held: TokenSession, roles: TokenSession['roles']): void {
    held.roles = roles;
    this.#sweep(held.session);
  }

  /** Its client wants to be nobody, or has to be. */
  becomeAnonymous(session: ServerSession): void {
    const held = this.#held.get(session);
    if (held === undefined) return;
    this.#forget(held);
    answerForNobody(session);
    this.#sweep(session);
  }

  #end(held: TokenSession, refusal: SessionRefusal): void {
    const { session } = held;
    const { anonymous, opcua, server, onEvent } = this.#deps;
    if (this.#held.get(session) !== held) return;
    this.#forget(held);
    if (anonymous) {
      session.userIdentityToken = new opcua.AnonymousIdentityToken({ policyId: 'anonymous' });
      answerForNobody(session);
      this.#sweep(session);
    } else if (server.engine.getSession(session.authenticationToken) === session) {
      // Its subscriptions go with it: left alone they would wait for whoever takes them over.
      server.engine.closeSession(session.authenticationToken, true, 'Terminated');
    }
    onEvent(sessionEvent(anonymous ? 'downgraded' : 'closed', session, held.claims, refusal));
  }

  #sweep(session: ServerSession): void {
    const { opcua, server } = this.#deps;
    if (server.engine.addressSpace !== null) dropForbiddenItems(opcua, session, server.engine.addressSpace);
  }

  #forget(held: TokenSession): void {
    held.watched.stop();
    if (this.#held.get(held.session) === held) this.#held.delete(held.session);
  }

  #tell(type: 'opened' | 'renewed', held: TokenSession): void {
    this.#deps.onEvent(sessionEvent(type, held.session, held.claims));
  }
}

function isGone({ status }: ServerSession): boolean {
  return status === 'closed' || status === 'disposed';
}

function refusalOf({ reason, detail }: Refusal): SessionRefusal {
  return { reason, detail };
}
