// Tokens of streams, which outlive the request they began with. No RFC says how long one may go on; here it is for as long as
// its token would be accepted: RFC 9068 §4 (exp), cut-offs, what the authority says of an opaque token or an API key.
import type { AccessTokenClaims } from '@countersign/protocol/portable';
import type { Authority, AuthenticToken } from './authority.ts';
import type { Finding } from './finding.ts';
import { createScopeReader, missingScope } from './needed-scope.ts';
import type { LateParts } from './parts.ts';
import type { Refusal } from './refusal.ts';
import type { TokenRequest, Verified, VerifyResult } from './token-request.ts';

export interface WatchOptions {
  /**
   * Called once for each token, `renewBefore` seconds before it ends: the time to ask the caller for another one and for
   * `renew`. Not for API keys, which are exchanged anew by themselves.
   */
  readonly onRenew?: () => void;
  /** Seconds; at least 1. Default 30. */
  readonly renewBefore?: number;
}

/** A token that is looked at for as long as the stream goes on. */
export interface Watched extends Verified {
  /** Aborted when the stream must end. Its `reason` is the refusal that a request would get now. */
  readonly signal: AbortSignal;
  /**
   * Takes another token of the same caller, with its proof where it needs one; the scope is what the stream began with.
   * `claims` and `scopes` are then those of the new token. A refusal changes nothing: the token before holds until its end.
   */
  renew(token: string | undefined, request?: Omit<TokenRequest, 'scope'>): Promise<VerifyResult>;
  /**
   * Counts one use within the stream, for `usage`: what a scope of the token let pass, or, without a scope, what none let pass. Opening the
   * stream has been counted.
   */
  used(scope: string | undefined, ok: boolean): void;
  /** To be called when the stream has ended by itself. */
  stop(): void;
}

type MaybePromise<T> = T | Promise<T>;

/** The steps of verifying, each on its own. */
export interface WatchDeps {
  verify(token: string | undefined, request: TokenRequest): Promise<VerifyResult>;
  isApiKey(token: string): boolean;
  exchange(key: string): Promise<string | Finding>;
  /** Reads a token and proves that it is its issuer's. */
  find(token: string): MaybePromise<AuthenticToken | Finding>;
  isStillSigned(verified: AuthenticToken, now: number): boolean;
  checkStanding(token: string, verified: AuthenticToken): MaybePromise<Finding | undefined>;
  refuse(finding: Finding, request: TokenRequest, claims?: AccessTokenClaims): Refusal;
  /** Who is told of use, where somebody is. */
  readonly parts: Pick<LateParts, 'loaded'>;
  /** Epoch seconds. */
  readonly clock: () => number;
  /** Whose orders to cut off count. */
  readonly authorities: readonly Authority[];
  /** Aborted when the verifier was closed. */
  readonly closed: AbortSignal;
}

/** Milliseconds between two looks at the tokens of all streams. */
const LOOK_EVERY_MS = 500;
const RENEW_BEFORE = 30;
const NO_SCOPE: readonly string[] = [];

export interface Watches {
  watch(token: string | undefined, request: TokenRequest, options?: WatchOptions): Promise<Watched | Refusal>;
}

export function createWatches(deps: WatchDeps): Watches {
  const streams = new Set<Stream>();
  let timer: ReturnType<typeof setInterval> | undefined;

  function lookAtAll(): void {
    for (const stream of streams) void stream.look();
  }

  function forget(stream: Stream): void {
    streams.delete(stream);
    if (streams.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  deps.closed.addEventListener('abort', () => {
    for (const stream of streams) stream.end(deps.refuse({ reason: 'closed' }, {}));
  });

  return {
    async watch(token, request, options = {}) {
      const result = await deps.verify(token, request);
      if (!result.ok) return result;
      if (deps.closed.aborted) return deps.refuse({ reason: 'closed' }, request);
      const stream = new Stream(deps, { token: token as string, request, result, options, forget });
      streams.add(stream);
      if (timer === undefined) {
        timer = startTimer(lookAtAll);
        // An order is not kept waiting for the next look.
        for (const { cutoffs } of deps.authorities) if (cutoffs !== undefined) cutoffs.onOrders = lookAtAll;
      }
      // Now, while what was asked for it is known: time and orders are then judged by that, whoever is silent later.
      await stream.look();
      return stream.signal.aborted ? (stream.signal.reason as Refusal) : stream;
    },
  };
}

/** Streams keep a process alive, looking at them does not. */
function startTimer(work: () => void): ReturnType<typeof setInterval> {
  const timer = setInterval(work, LOOK_EVERY_MS);
  if (typeof timer === 'object') timer.unref();
  return timer;
}

/** What is wrong with an accepted token by now. */
interface Look {
  wholly(): Promise<Refusal | undefined>;
  /** As far as it can be said without asking anybody. */
  atOnce(): Refusal | undefined;
}

/** The proof was for the request that the stream began with, and a signature need not be verified again. */
function createLook(deps: WatchDeps, token: string, request: TokenRequest): Look {
  const scope = createScopeReader().read(request.scope);
  let held: { readonly text: string; readonly verified: AuthenticToken } | undefined;

  async function current(text: string): Promise<AuthenticToken | Finding> {
    if (held?.text === text && deps.isStillSigned(held.verified, deps.clock())) return held.verified;
    const verified = await deps.find(text);
    if (!('reason' in verified)) held = { text, verified };
    return verified;
  }

  return {
    async wholly() {
      const text = deps.isApiKey(token) ? await deps.exchange(token) : token;
      if (typeof text !== 'string') return deps.refuse(text, request);
      const verified = await current(text);
      if ('reason' in verified) return deps.refuse(verified, request);
      const { claims } = verified;
      const finding = (await deps.checkStanding(text, verified)) ?? missingScope(claims, scope);
      return finding && deps.refuse(finding, request, claims);
    },
    atOnce() {
      if (held === undefined) return undefined;
      const finding = deps.checkStanding(held.text, held.verified);
      if (finding === undefined || finding instanceof Promise) return undefined;
      return deps.refuse(finding, request, held.verified.claims);
    },
  };
}

interface Opening {
  readonly token: string;
  readonly request: TokenRequest;
  readonly result: Verified;
  readonly options: WatchOptions;
  readonly forget: (stream: Stream) => void;
}

class Stream implements Watched {
  readonly ok = true;
  readonly #deps: WatchDeps;
  readonly #opening: Opening;
  readonly #end = new AbortController();
  readonly headers: Readonly<Record<string, string>>;
  claims: AccessTokenClaims;
  scopes: readonly string[];
  #token: string;
  #look: Look;
  /** The look that is being taken. */
  #looking: Look | undefined;
  #askedToRenew = false;
  #stopped = false;

  constructor(deps: WatchDeps, opening: Opening) {
    this.#deps = deps;
    this.#opening = opening;
    this.#token = opening.token;
    this.claims = opening.result.claims;
    this.scopes = opening.result.scopes;
    this.headers = opening.result.headers ?? {};
    this.#look = createLook(deps, opening.token, opening.request);
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** One at a time: an authority that is asked may be slow, or silent. Time and orders do not wait for its answer. */
  async look(): Promise<void> {
    const look = this.#look;
    if (this.#looking === look) {
      const over = await this.#taken(async () => look.atOnce());
      if (over !== undefined && look === this.#look) this.end(over);
      return;
    }
    this.#looking = look;
    const refusal = await this.#taken(look.wholly);
    if (this.#looking === look) this.#looking = undefined;
    // Meanwhile there may be another token, or an end.
    if (look !== this.#look || this.#stopped || this.#end.signal.aborted) return;
    if (refusal === undefined) this.#askToRenew();
    else this.end(refusal);
  }

  /** Something of the caller's own (its clock, its Web Crypto) may throw: who cannot look does not let the stream go on. */
  #taken(look: Look['wholly']): Promise<Refusal | undefined> {
    return look().catch(() =>
      this.#deps.refuse({ reason: 'closed', detail: 'fault' }, this.#opening.request),
    );
  }

  /** What has ended by itself is not ended a second time, by a look that was under way: there is nothing left to end. */
  end(refusal: Refusal): void {
    if (this.#stopped) return;
    this.#opening.forget(this);
    this.#end.abort(refusal);
  }

  used(scope: string | undefined, ok: boolean): void {
    const { parts, clock } = this.#deps;
    parts.loaded?.use?.count(this.claims, scope === undefined ? NO_SCOPE : [scope], ok, clock());
  }

  stop(): void {
    this.#stopped = true;
    this.#opening.forget(this);
  }

  async renew(token: string | undefined, request: Omit<TokenRequest, 'scope'> = {}): Promise<VerifyResult> {
    const { scope } = this.#opening.request;
    const whole: TokenRequest = { ...request, ...(scope === undefined ? undefined : { scope }) };
    const result = await this.#deps.verify(token, whole);
    if (!result.ok) return result;
    // Otherwise what was opened for one caller would go on for another.
    if (!isSameCaller(result.claims, this.claims)) {
      return this.#deps.refuse({ reason: 'renewed_by_another' }, whole);
    }
    if (this.#end.signal.aborted) return this.#end.signal.reason as Refusal;
    this.#token = token as string;
    this.claims = result.claims;
    this.scopes = result.scopes;
    this.#look = createLook(this.#deps, this.#token, whole);
    this.#askedToRenew = false;
    return result;
  }

  #askToRenew(): void {
    const { onRenew, renewBefore = RENEW_BEFORE } = this.#opening.options;
    if (onRenew === undefined || this.#askedToRenew || this.#deps.isApiKey(this.#token)) return;
    if (this.#deps.clock() < this.claims.exp - Math.max(1, renewBefore)) return;
    this.#askedToRenew = true;
    try {
      onRenew();
    } catch {
      // What goes wrong in it must not end the looking.
    }
  }
}

function isSameCaller(one: AccessTokenClaims, other: AccessTokenClaims): boolean {
  return one.iss === other.iss && one.sub === other.sub && one.client_id === other.client_id;
}
