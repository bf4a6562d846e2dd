// One client over DTLS: each of its requests is held against its token (RFC 9202 §3.4, RFC 9200 §5.10.2), for as long as that is good.
import { type AuthzInfoDeps, answerAuthzInfo, isAuthzInfo } from '../access/authz-info.ts';
import { type HintFacts, withHints } from '../access/hints.ts';
import { judge, type Permissions, scopesFor } from '../access/permissions.ts';
import { FAULT_CODES, type TokenFault } from '../access/refusal.ts';
import type { HeldToken, TokenStore } from '../access/token-store.ts';
import type { TokenVerifier } from '../access/token-verifier.ts';
import type { DtlsSession, SessionEnd } from '../dtls/session.ts';
import type { SourceBudget } from '../dtls/source-budget.ts';
import { type Answer, answerTo, resetFor } from '../message/answer.ts';
import { type Bodies, withBlock } from '../message/block1.ts';
import {
  CODE,
  type CoapMessage,
  isRequest,
  numberOption,
  OPTION,
  readCoap,
  TYPE,
  writeCoap,
} from '../message/coap-message.ts';
import { readTarget, type RequestTarget } from '../message/request-target.ts';
import { Observations } from './observations.ts';
import type { OpenUpstream, Upstream } from './upstream.ts';

export interface GuardedSessionDeps {
  readonly permissions: Permissions;
  readonly hints: HintFacts;
  readonly verifier: Pick<TokenVerifier, 'fallen'>;
  readonly store: Pick<TokenStore, 'byKid'>;
  readonly openUpstream: OpenUpstream;
  readonly authzInfo: AuthzInfoDeps;
  /** Each token that is brought has a signature to be looked at: an address brings so many and no more (RFC 9200 §5.10.1.2). */
  readonly tokenBudget: SourceBudget;
  /** Of tokens in blocks, of all sessions. */
  readonly tokenBodies: Bodies;
  /** A request was refused, or the session ended: for logs. */
  readonly told: (what: SessionNews) => void;
  readonly ended: (session: GuardedSession) => void;
}

export type SessionNews =
  | { readonly kind: 'refused'; readonly sub: string; readonly code: number; readonly path: string }
  | { readonly kind: 'ended'; readonly sub: string; readonly why: SessionEnd | TokenFault };

/** Seconds after which who has brought too many tokens may bring another. */
const WAIT_SECONDS = 1;

export class GuardedSession {
  readonly #deps: GuardedSessionDeps;
  readonly #dtls: DtlsSession<HeldToken>;
  readonly #upstream: Upstream;
  readonly #observed = new Observations();
  #token: HeldToken;
  #messageId = 0;
  #over = false;

  constructor(deps: GuardedSessionDeps, dtls: DtlsSession<HeldToken>) {
    this.#deps = deps;
    this.#dtls = dtls;
    this.#token = dtls.holder;
    this.#upstream = deps.openUpstream(
      () => this.#current().claims,
      (bytes) => this.#deliver(bytes),
    );
  }

  /**
   * The token that counts: one that was brought later for the same key takes its place (RFC 9202 §4: "A resource server MUST replace the
   * authorization information of any existing DTLS session that is identified by this key identifier"), and the one before never comes back.
   */
  #current(): HeldToken {
    const { claims } = this.#token;
    const held = this.#deps.store.byKid(claims.kid);
    if (held === undefined || held === this.#token || held.claims.sub !== claims.sub) return this.#token;
    this.#token = held;
    this.#endUncovered();
    return held;
  }

  message(bytes: Uint8Array): void {
    const message = readCoap(bytes);
    // An empty message that wants to be confirmed is a ping (RFC 7252 §4.3).
    const isPing = message?.code === CODE.empty && message.type === TYPE.confirmable;
    if (message === undefined || isPing || !isAnswerable(message)) return this.#send(resetFor(bytes));
    if (message.type === TYPE.reset) this.#observed.rejected(message.messageId);
    if (message.code === CODE.empty) return this.#upstream.forward(message, bytes);
    const fault = this.#deps.verifier.fallen(this.#current());
    if (fault !== undefined) return this.#fallen(message, fault);
    const read = readTarget(message);
    if (!read.ok) return this.#refuse(message, { code: read.code }, '');
    if (isAuthzInfo(read.target.path)) return this.#takeToken(message, read.target);
    const answer = this.#refusalOf(read.target);
    if (answer !== undefined) return this.#refuse(message, answer, read.target.path);
    if (this.#observed.note(message, read.target)) return this.#upstream.forward(message, bytes);
    const options = message.options.filter(({ number }) => number !== OPTION.observe);
    const plain = { ...message, options };
    this.#upstream.forward(plain, writeCoap(plain));
  }

  /** Time has gone by, there are other orders, or another token was brought. */
  look(): void {
    const fault = this.#deps.verifier.fallen(this.#current());
    if (fault !== undefined && fault !== 'cutoffs_stale') this.#endBecause(fault);
  }

  /** The association is over, whoever ended it. */
  ended(why: SessionEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#finish(why);
  }

  close(): void {
    this.#dtls.close();
  }

  #refusalOf(target: RequestTarget): Answer | undefined {
    const { permissions, hints } = this.#deps;
    const verdict = judge(permissions, this.#token.claims.scope, target);
    if (verdict === 'allowed') return undefined;
    const code = verdict === 'method_not_covered' ? CODE.methodNotAllowed : CODE.forbidden;
    return withHints(code, hints, scopesFor(permissions, target));
  }

  #fallen(message: CoapMessage, fault: TokenFault): void {
    // Nobody knows whether it was cut off: nothing is served, and nothing is ended.
    if (fault === 'cutoffs_stale') return this.#refuse(message, { code: FAULT_CODES.cutoffs_stale }, '');
    this.#refuse(message, withHints(CODE.unauthorized, this.#deps.hints), '');
    this.#endBecause(fault);
  }

  #refuse(message: CoapMessage, answer: Answer, path: string): void {
    this.#deps.told({ kind: 'refused', sub: this.#token.claims.sub, code: answer.code, path });
    this.#send(answerTo(message, answer, this.#nextId()));
  }

  #takeToken(message: CoapMessage, target: RequestTarget): void {
    const { address } = this.#dtls.peer;
    const taken = this.#deps.tokenBodies.take(message, this);
    if (taken.kind === 'answer') return this.#send(answerTo(message, taken.answer, this.#nextId()));
    if (!this.#deps.tokenBudget.take(address)) {
      // RFC 8516: after so many seconds.
      const options = [numberOption(OPTION.maxAge, WAIT_SECONDS)];
      return this.#refuse(message, { code: CODE.tooManyRequests, options }, target.path);
    }
    const copy = {
      ...taken.request,
      token: Uint8Array.from(message.token),
      payload: Uint8Array.from(taken.request.payload),
    };
    void answerAuthzInfo(this.#deps.authzInfo, copy, target, address).then((answer) => {
      if (answer === undefined) return;
      // What is not covered any more ends before the answer says that the token is held.
      this.#current();
      this.#send(answerTo(copy, withBlock(answer, taken.block), this.#nextId()));
    });
  }

  /** From the server behind. */
  #deliver(bytes: Uint8Array): void {
    const message = readCoap(bytes);
    if (this.#over || message === undefined) return;
    const fault = this.#deps.verifier.fallen(this.#current());
    if (fault === 'cutoffs_stale') return;
    if (fault !== undefined) return this.#endBecause(fault);
    this.#observed.sent(message);
    this.#dtls.send(bytes);
  }

  /** RFC 9202 §4: rights that are narrower than those before count at once, for what is observed too. */
  #endUncovered(): void {
    const { permissions } = this.#deps;
    const { scope } = this.#token.claims;
    this.#endObserved((target) => judge(permissions, scope, target) === 'allowed', CODE.forbidden);
  }

  /** RFC 7641 §4.2: an error in the place of a notification is the last one. */
  #endObserved(covered: (target: RequestTarget) => boolean, code: number): void {
    const ended = this.#observed.takeUncovered(covered).map(({ registration }) => registration);
    if (ended.length === 0) return;
    const { payload = new Uint8Array(0), options = [] } = withHints(code, this.#deps.hints);
    for (const { token } of ended) {
      const messageId = this.#nextId();
      this.#dtls.send(writeCoap({ type: TYPE.nonConfirmable, code, messageId, token, options, payload }));
    }
    this.#upstream.release(ended);
  }

  /** RFC 9202 §5, RFC 9200 §5.10.3: observers hear it as 4.01, and the association ends with its token. */
  #endBecause(fault: TokenFault): void {
    if (this.#over) return;
    this.#over = true;
    this.#endObserved(() => false, CODE.unauthorized);
    this.#dtls.close();
    this.#finish(fault);
  }

  #finish(why: SessionEnd | TokenFault): void {
    this.#upstream.release(this.#observed.takeUncovered(() => false).map(({ registration }) => registration));
    this.#upstream.close();
    this.#deps.tokenBodies.forget(this);
    this.#deps.told({ kind: 'ended', sub: this.#dtls.holder.claims.sub, why });
    this.#deps.ended(this);
  }

  #send(bytes: Uint8Array | undefined): void {
    if (bytes !== undefined) this.#dtls.send(bytes);
  }

  #nextId(): number {
    this.#messageId = (this.#messageId + 1) & 0xffff;
    return this.#messageId;
  }
}

/** Requests, and what acknowledges or rejects a message of the server behind; a client sends nothing else. */
function isAnswerable(message: CoapMessage): boolean {
  const isReply = message.type === TYPE.acknowledgement || message.type === TYPE.reset;
  return isReply ? message.code === CODE.empty : isRequest(message);
}
