// Following the signed cut-off feed of one issuer: `typ: cutoffs+jwt`, a JWT kind of its own (RFC 8725 §3.11).
import type { AccessTokenClaims, Issuer } from '@countersign/protocol/portable';
import {
  type CutoffEntry,
  type CutoffFeed,
  type CutoffIndex,
  cutOffBy,
} from '@countersign/protocol/cutoff-feed';
import { fetchBounded } from '@countersign/protocol/discovery';
import { type CutoffAlarm, FeedError } from './cutoff-alarm.ts';
import { MAX_PAGE_BYTES, readPage } from './cutoff-page.ts';
import type { CutoffReceipt } from './cutoff-receipt.ts';
import type { Jwks } from './jwks.ts';
import { createKnownOrders } from './known-orders.ts';
import type { Platform } from './platform/platform.ts';

const FIRST_PAUSE_MS = 250;
/** Between two pages without news. */
const LEAST_INTERVAL_MS = 500;
/** After a page that is not believed. */
const LONGEST_PAUSE_MS = 5000;
/** After no page: an authority that is back must be heard again in time for the order that comes then. */
const LONGEST_PAUSE_AWAY_MS = 1000;
/** Seconds between two alarms about the same. */
const ALARM_AGAIN_AFTER = 60;

/** How well an issuer's feed is followed. */
export interface CutoffFeedState {
  readonly issuer: string;
  readonly stale: boolean;
  /** Seconds since what is known here was true; undefined before the first page. */
  readonly age: number | undefined;
  /** The receipt of the last page. */
  readonly cursor: number | undefined;
  /** Alarms since the start. */
  readonly alarms: number;
}

export interface CutoffFollowerDeps {
  readonly issuer: Issuer;
  readonly keys: Pick<Jwks, 'find'>;
  readonly platform: Pick<Platform, 'verify'>;
  readonly fetch: typeof globalThis.fetch;
  /** Epoch seconds. */
  readonly clock: () => number;
  readonly leeway: number;
  readonly staleAfter: number;
  /** From 0 to 1, to spread retries. */
  readonly random: () => number;
  readonly receipt: CutoffReceipt;
  readonly onAlarm: ((alarm: CutoffAlarm) => void) | undefined;
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
  readonly #orders = createKnownOrders();
  #started = false;
  #hasTried = false;
  #lastFailure: unknown;
  #alarms = 0;
  #lastAlarm: { readonly code: CutoffAlarm['code']; readonly at: number } | undefined;
  readonly #firstTry: Latch = createLatch();
  readonly #firstPage: Latch = createLatch();
  /** Told of every page with orders in it, once they are known. Must not throw. */
  onOrders: (() => void) | undefined;

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
    return this.#orders.index;
  }

  /** `now`: epoch seconds, where the caller has just read the clock. */
  isStale(now: number = this.#deps.clock()): boolean {
    return Math.abs(now - this.#orders.freshAt) > this.#deps.staleAfter;
  }

  /** The order that cuts this token off, as far as is known here. */
  cutOffBy(claims: AccessTokenClaims, kid: string | undefined): CutoffEntry | undefined {
    return cutOffBy(this.#orders.index, claims, kid);
  }

  /** A request was refused because of this order. */
  attempted(order: CutoffEntry): void {
    this.#deps.receipt.count(order);
  }

  state(): CutoffFeedState {
    const { issuer, clock } = this.#deps;
    const { freshAt, receipt: cursor } = this.#orders;
    const age = Number.isFinite(freshAt) ? Math.max(0, clock() - freshAt) : undefined;
    return { issuer, stale: this.isStale(), age, cursor, alarms: this.#alarms };
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
        if (this.isStale()) this.#orders.catchUp();
        const { gathering } = this.#orders;
        const page = await this.#fetchPage();
        this.#orders.take(page, this.#deps.clock(), this.#deps.leeway);
        if (page.entries.length > 0) this.onOrders?.();
        // An authority that does not hold the request must not be asked without end.
        const held = gathering || page.cursor !== page.from || performance.now() - asked > LEAST_INTERVAL_MS;
        pause = held ? 0 : LEAST_INTERVAL_MS;
        if (this.#orders.gathering) continue;
        this.#firstPage.resolve();
      } catch (error) {
        if (this.#stop.signal.aborted) break;
        this.#lastFailure = error;
        if (error instanceof FeedError) this.#alarm(error.code, error.message);
        // What comes next may not join on to what is known: the feed may have been restored meanwhile, and have grown beyond the
        // place it is read from. So everything is asked for; orders already known stay in force.
        this.#orders.startOver();
        if (this.#orders.complete && this.isStale())
          this.#alarm('stale', 'nothing was heard of it for too long');
        const longest = error instanceof FeedError ? LONGEST_PAUSE_MS : LONGEST_PAUSE_AWAY_MS;
        pause = Math.min(longest, Math.max(FIRST_PAUSE_MS, pause * 2));
      }
      this.#hasTried = true;
      this.#firstTry.resolve();
      if (pause > 0) await this.#rest(pause);
    }
  }

  /** Half to all of the pause, so that many verifiers do not come back at once. */
  async #rest(pauseMs: number): Promise<void> {
    const ms = pauseMs * (0.5 + this.#deps.random() / 2);
    const { signal } = this.#stop;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', wake);
    });
  }

  async #fetchPage(): Promise<CutoffFeed> {
    const { issuer, keys, platform, fetch, clock, leeway, staleAfter, receipt } = this.#deps;
    this.#orders.startOverIfOld(clock());
    const { cursor, gathering, index } = this.#orders;
    // Heartbeats must come well before silence counts as stale.
    const wait = gathering ? 0 : Math.min(25, Math.max(1, Math.floor(staleAfter / 2)));
    const { query, headers, told } = await receipt.next();
    const place = cursor === undefined ? '' : `after=${cursor}&wait=${wait}`;
    const parameters = [place, query].filter((part) => part !== '').join('&');
    const askedAt = clock();
    const response = await fetchBounded(`${issuer.replace(/\/$/, '')}/oauth/cutoffs?${parameters}`, {
      fetch,
      timeoutMs: (wait + 5) * 1000,
      maxBytes: MAX_PAGE_BYTES,
      signal: this.#stop.signal,
      headers: { accept: 'application/cutoffs+jwt, application/jwt', ...headers },
    });
    if (response.status >= 400 && response.status < 500 && response.status !== 429) {
      throw new FeedError('refused', `${issuer} answered ${response.status}`);
    }
    if (response.status !== 200) throw new Error(`${issuer} answered ${response.status} to the cut-off feed`);
    const page = await readPage(response.body, {
      issuer,
      keys,
      platform,
      clock,
      leeway,
      index,
      after: cursor ?? 0,
      askedAt,
    });
    told();
    return page;
  }

  #alarm(code: CutoffAlarm['code'], message: string): void {
    const { issuer, clock, onAlarm } = this.#deps;
    const now = clock();
    const last = this.#lastAlarm;
    if (last?.code === code && Math.abs(now - last.at) < ALARM_AGAIN_AFTER) return;
    this.#lastAlarm = { code, at: now };
    this.#alarms++;
    try {
      onAlarm?.({ issuer, code, message });
    } catch {
      // What goes wrong in it must not end the following.
    }
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
