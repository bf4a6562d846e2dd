// Following the signed cut-off feed of one issuer: `typ: cutoffs+jwt`, a JWT kind of its own (RFC 8725 §3.11).
import {
  type AccessTokenClaims,
  type CutoffFeed,
  type CutoffIndex,
  type CutoffKind,
  cutOffBy,
  decodeUtf8,
  type Issuer,
  indexCutoffs,
  isJwsAlgorithm,
  isKeyCutOff,
  JWT_TYP,
  MAX_CUTOFF_FEED_BYTES,
  parseCompactJws,
  parseCutoffFeed,
  verifyJws,
} from '@countersign/protocol';
import { fetchBounded } from '@countersign/protocol/discovery';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Jwks } from './jwks.ts';

/** Seconds after which everything is asked for anew, so that orders that no longer matter are forgotten. */
const START_OVER_AFTER = 3600;
/** The feed is ours to ask, so a page with a new key may look for it sooner than a stranger's token may. */
const OWN_COOLDOWN = 1;
const FIRST_PAUSE_MS = 250;
/** Between two pages without news. */
const LEAST_INTERVAL_MS = 500;
const LONGEST_PAUSE_MS = 5000;
/** Seconds a page may be good for. The authority says 60. */
const LONGEST_LIFETIME = 120;
/** A JWS is a third larger than its payload. */
const MAX_BYTES = Math.ceil(MAX_CUTOFF_FEED_BYTES * 1.4);

export type FeedFault =
  | 'not_a_jws'
  | 'wrong_typ'
  | 'algorithm_not_allowed'
  | 'unknown_key'
  | 'key_cut_off'
  | 'bad_signature'
  | 'bad_claims'
  | 'wrong_issuer'
  | 'expired'
  | 'wrong_cursor'
  | 'refused';

/** A page of the feed that must not be believed. */
export class FeedError extends Error {
  readonly code: FeedFault;

  constructor(code: FeedFault, detail: string) {
    super(`the cut-off feed cannot be used: ${detail}`);
    this.name = 'FeedError';
    this.code = code;
  }
}

export interface CutoffFollowerDeps {
  readonly issuer: Issuer;
  readonly keys: Pick<Jwks, 'find'>;
  readonly fetch: typeof globalThis.fetch;
  /** Epoch seconds. */
  readonly clock: () => number;
  readonly leeway: number;
  readonly staleAfter: number;
  /** From 0 to 1, to spread retries. */
  readonly random: () => number;
}

interface Latch {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** What is known of the feed, and the loop that keeps it known. Starts with `start`, ends with `close`. */
export class CutoffFollower {
  readonly #deps: CutoffFollowerDeps;
  readonly #stop = new AbortController();
  #index: CutoffIndex = new Map();
  /** The receipt of the last page; `undefined` asks for everything that still matters. */
  #cursor: number | undefined;
  #highest = 0;
  /** Whether the pages have come to their end once since the start; before that, orders may still be missing. */
  #complete = false;
  #snapshotAt = 0;
  #freshAt = Number.NEGATIVE_INFINITY;
  #started = false;
  #hasTried = false;
  #lastFailure: unknown;
  readonly #firstTry: Latch = createLatch();
  readonly #firstPage: Latch = createLatch();

  constructor(deps: CutoffFollowerDeps) {
    this.#deps = deps;
    this.#firstPage.promise.catch(() => undefined);
  }

  /** Begins to follow; further calls do nothing. */
  start(): void {
    if (this.#started || this.#stop.signal.aborted) return;
    this.#started = true;
    void this.#follow();
  }

  /** True once `tried` has resolved. */
  get hasTried(): boolean {
    return this.#hasTried;
  }

  /** Resolves when every order that matters is known, or a first request for them has failed. */
  tried(): Promise<void> {
    return this.#firstTry.promise;
  }

  /** Resolves when every order that matters is known. Rejects only when closed before. */
  followed(): Promise<void> {
    return this.#firstPage.promise;
  }

  /** The last thing that went wrong, for the message of who waits. */
  lastFailure(): unknown {
    return this.#lastFailure;
  }

  /** The orders that are known: another object whenever there are others. */
  get index(): CutoffIndex {
    return this.#index;
  }

  /** `now`: epoch seconds, where the caller has just read the clock. */
  isStale(now: number = this.#deps.clock()): boolean {
    return Math.abs(now - this.#freshAt) > this.#deps.staleAfter;
  }

  /** The order that cuts this token off, as far as is known here. */
  cutOffBy(claims: AccessTokenClaims, kid: string | undefined): CutoffKind | undefined {
    return cutOffBy(this.#index, claims, kid);
  }

  close(): void {
    this.#stop.abort();
    this.#firstTry.resolve();
    this.#firstPage.reject(new Error('the verifier was closed'));
  }

  async #follow(): Promise<void> {
    let pause = 0;
    while (!this.#stop.signal.aborted) {
      try {
        const asked = performance.now();
        const gathering = !this.#complete;
        const page = await this.#fetchPage();
        this.#take(page);
        // An authority that does not hold the request must not be asked without end.
        const held = gathering || page.cursor !== page.from || performance.now() - asked > LEAST_INTERVAL_MS;
        pause = held ? 0 : LEAST_INTERVAL_MS;
        if (!this.#complete) continue;
        this.#firstPage.resolve();
      } catch (error) {
        this.#lastFailure = error;
        // A page that does not join on to what is known: ask for everything. Orders already known stay in force.
        if (error instanceof FeedError && (error.code === 'wrong_cursor' || error.code === 'refused')) {
          this.#cursor = undefined;
        }
        pause = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, pause * 2));
      }
      this.#hasTried = true;
      this.#firstTry.resolve();
      if (pause > 0) await this.#rest(pause);
    }
  }

  /** Half to all of the pause, so that many verifiers do not come back at once. */
  async #rest(pauseMs: number): Promise<void> {
    const ms = pauseMs * (0.5 + this.#deps.random() / 2);
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  async #fetchPage(): Promise<CutoffFeed> {
    const { issuer, fetch, clock, staleAfter } = this.#deps;
    if (Math.abs(clock() - this.#snapshotAt) > START_OVER_AFTER) this.#cursor = undefined;
    // Heartbeats must come well before silence counts as stale.
    const wait = this.#complete ? Math.min(25, Math.max(1, Math.floor(staleAfter / 2))) : 0;
    const query = this.#cursor === undefined ? '' : `?after=${this.#cursor}&wait=${wait}`;
    const response = await fetchBounded(`${issuer.replace(/\/$/, '')}/oauth/cutoffs${query}`, {
      fetch,
      timeoutMs: (wait + 5) * 1000,
      maxBytes: MAX_BYTES,
      signal: this.#stop.signal,
      headers: { accept: 'application/cutoffs+jwt, application/jwt' },
    });
    if (response.status >= 400 && response.status < 500 && response.status !== 429) {
      throw new FeedError('refused', `${issuer} answered ${response.status}`);
    }
    if (response.status !== 200) throw new Error(`${issuer} answered ${response.status} to the cut-off feed`);
    return await this.#read(response.body);
  }

  /** Everything that must hold before a page is believed. */
  async #read(body: Uint8Array): Promise<CutoffFeed> {
    const { issuer, keys, clock, leeway } = this.#deps;
    const jws = parseCompactJws(decodeUtf8(body)?.trim() ?? '', MAX_BYTES);
    if (!jws.ok) throw new FeedError('not_a_jws', jws.fault);
    const typ = jws.header.typ?.toLowerCase();
    if (typ !== JWT_TYP.cutoffs && typ !== `application/${JWT_TYP.cutoffs}`)
      throw new FeedError('wrong_typ', 'typ');
    if (!isJwsAlgorithm(jws.header.alg)) throw new FeedError('algorithm_not_allowed', 'alg');
    const key = await keys.find(jws.header.kid, jws.header.alg, OWN_COOLDOWN);
    if (typeof key === 'string') throw new FeedError('unknown_key', `its key is ${key}`);
    if (!verifyJws(jws, key)) throw new FeedError('bad_signature', 'its signature is wrong');
    const parsed = parseCutoffFeed(jws.payload);
    if (!parsed.ok) throw new FeedError('bad_claims', parsed.fault);
    const { feed } = parsed;
    if (feed.iss !== issuer) throw new FeedError('wrong_issuer', 'it is from another issuer');
    const now = clock();
    // What is from the future would still be shown when it is the past.
    if (feed.iat > now + leeway) throw new FeedError('bad_claims', 'it is from the future');
    if (feed.exp - feed.iat > LONGEST_LIFETIME) throw new FeedError('bad_claims', 'it is good for too long');
    if (now >= feed.exp + leeway) throw new FeedError('expired', 'it has expired');
    // Whoever stole a key that was cut off must not be able to say that it was not.
    if (isKeyCutOff(this.#index, key.kid)) throw new FeedError('key_cut_off', 'its key was cut off');
    if (feed.from !== (this.#cursor ?? 0)) throw new FeedError('wrong_cursor', 'it answers another cursor');
    return feed;
  }

  #take(feed: CutoffFeed): void {
    const now = this.#deps.clock();
    const isSnapshot = this.#cursor === undefined;
    // An authority restored from an older copy must not make us forget: then both are kept.
    const mayForget = isSnapshot && feed.cursor >= this.#highest;
    if (feed.entries.length > 0 || mayForget) {
      this.#index = indexCutoffs(feed.entries, mayForget ? undefined : this.#index);
    }
    if (isSnapshot) this.#snapshotAt = now;
    this.#cursor = feed.cursor;
    this.#highest = Math.max(this.#highest, feed.cursor);
    // What is known may come in several pages; an empty one ends them.
    if (feed.entries.length === 0 || feed.cursor === feed.from) this.#complete = true;
    // A page speaks for the moment it was signed, not for the one it came: somebody may have kept it back.
    if (this.#complete) this.#freshAt = Math.min(now, feed.iat + this.#deps.leeway);
  }
}

function createLatch(): Latch {
  let resolve: Latch['resolve'] = () => undefined;
  let reject: Latch['reject'] = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
