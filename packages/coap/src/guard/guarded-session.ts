// One client over DTLS: each of its requests is held against its token (RFC 9202 §3.4, RFC 9200 §5.10.2), for as long as that is good.
import { AUTHZ_INFO, type AuthzInfoDeps, takeToken } from '../access/authz-info.ts';
import { type HintFacts, withHints } from '../access/hints.ts';
import { judge, type Permissions, scopesFor } from '../access/permissions.ts';
import { FAULT_CODES, type TokenFault } from '../access/refusal.ts';
import type { HeldToken, TokenStore } from '../access/token-store.ts';
import type { TokenVerifier } from '../access/token-verifier.ts';
import type { DtlsSession, SessionEnd } from '../dtls/session.ts';
import { type Answer, answerTo, resetFor } from '../message/answer.ts';
import {
  CODE,
  type CoapMessage,
  isRequest,
  OPTION,
  optionNumber,
  readCoap,
  TYPE,
  writeCoap,
} from '../message/coap-message.ts';
import { readTarget, type RequestTarget } from '../message/request-target.ts';
import type { OpenUpstream, Upstream } from './upstream.ts';

export interface GuardedSessionDeps {
  readonly permissions: Permissions;
  readonly hints: HintFacts;
  readonly verifier: Pick<TokenVerifier, 'verify' | 'fallen'>;
  readonly store: Pick<TokenStore, 'add' | 'byKid'>;
  readonly openUpstream: OpenUpstream;
  readonly authzInfo: AuthzInfoDeps;
  /** A request was refused, or the session ended: for logs. */
  readonly told: (what: SessionNews) => void;
  readonly ended: (session: GuardedSession) => void;
}

export type SessionNews =
  | { readonly kind: 'refused'; readonly sub: string; readonly code: number; readonly path: string }
  | { readonly kind: 'ended'; readonly sub: string; readonly why: SessionEnd | TokenFault };

/** Registrations of one client that are remembered; beyond that it gets no notifications, only answers. */
const MOST_OBSERVED = 32;
const NO_BYTES = new Uint8Array(0);

export class GuardedSession {
  readonly #deps: GuardedSessionDeps;
  readonly #dtls: DtlsSession<HeldToken>;
  readonly #upstream: Upstream;
  /** Registrations by their token. */
  readonly #observed = new Map<string, CoapMessage>();
  #messageId = 0;
  #over = false;

  constructor(deps: GuardedSessionDeps, dtls: DtlsSession<HeldToken>) {
    this.#deps = deps;
    this.#dtls = dtls;
    this.#upstream = deps.openUpstream(dtls.holder.claims, (bytes) => this.#deliver(bytes));
  }

  /** The token that counts: one that was brought later for the same key takes its place. */
  get #token(): HeldToken {
    return this.#deps.store.byKid(this.#dtls.holder.claims.kid) ?? this.#dtls.holder;
  }

  message(bytes: Uint8Array): void {
    const message = readCoap(bytes);
    // An empty message that wants to be confirmed is a ping (RFC 7252 §4.3).
    const isPing = message?.code === CODE.empty && message.type === TYPE.confirmable;
    if (message === undefined || isPing || !isAnswerable(message)) return this.#send(resetFor(bytes));
    if (message.code === CODE.empty) return this.#upstream.forward(message, bytes);
    const fault = this.#deps.verifier.fallen(this.#token);
    if (fault !== undefined) return this.#fallen(message, fault);
    const read = readTarget(message);
    if (!read.ok) return this.#refuse(message, { code: read.code }, '');
    if (read.target.path === AUTHZ_INFO) return void this.#takeToken(message, read.target);
    const answer = this.#refusalOf(read.target);
    if (answer !== undefined) return this.#refuse(message, answer, read.target.path);
    this.#noteObserve(message);
    this.#upstream.forward(message, bytes);
  }

  /** Time has gone by, or there are other orders. */
  look(): void {
    const fault = this.#deps.verifier.fallen(this.#token);
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

  async #takeToken(message: CoapMessage, target: RequestTarget): Promise<void> {
    const copy = {
      ...message,
      token: Uint8Array.from(message.token),
      payload: Uint8Array.from(message.payload),
    };
    const code = await takeToken(this.#deps.authzInfo, copy, target, this.#dtls.peer.address);
    this.#send(answerTo(copy, { code }, this.#nextId()));
  }

  #noteObserve(message: CoapMessage): void {
    const observe = optionNumber(message, OPTION.observe);
    if (observe === undefined || message.code !== CODE.get) return;
    const token = keyOf(message.token);
    if (observe === 1) this.#observed.delete(token);
    else if (observe === 0 && (this.#observed.size < MOST_OBSERVED || this.#observed.has(token))) {
      const options = message.options.map(({ number, value }) => ({ number, value: Uint8Array.from(value) }));
      this.#observed.set(token, {
        ...message,
        token: Uint8Array.from(message.token),
        options,
        payload: NO_BYTES,
      });
    }
  }

  /** From the server behind. A notification that nobody is known to have asked for is not passed on: it could not be ended. */
  #deliver(bytes: Uint8Array): void {
    const message = readCoap(bytes);
    if (this.#over || message === undefined) return;
    const fault = this.#deps.verifier.fallen(this.#token);
    if (fault === 'cutoffs_stale') return;
    if (fault !== undefined) return this.#endBecause(fault);
    this.#dtls.send(bytes);
  }

  /** RFC 9202 §3.4, RFC 9200 §5.10.3: observers hear it as 4.01, and the association ends with its token. */
  #endBecause(fault: TokenFault): void {
    if (this.#over) return;
    this.#over = true;
    const { payload = NO_BYTES, options = [] } = withHints(CODE.unauthorized, this.#deps.hints);
    for (const { token } of this.#observed.values()) {
      const messageId = this.#nextId();
      const code = CODE.unauthorized;
      this.#dtls.send(writeCoap({ type: TYPE.nonConfirmable, code, messageId, token, options, payload }));
    }
    this.#dtls.close();
    this.#finish(fault);
  }

  #finish(why: SessionEnd | TokenFault): void {
    this.#upstream.close([...this.#observed.values()]);
    this.#observed.clear();
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

function keyOf(token: Uint8Array): string {
  return Buffer.from(token).toString('latin1');
}
