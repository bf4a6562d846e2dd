// Keeping tokens while they live (RFC 6749 §1.4): one request however many ask, refreshed before the end, the old one
// served meanwhile.
import type { AccessToken } from './token-request.ts';

/** Part of its life after which a token is refreshed, give or take a tenth of that part. */
const REFRESH_AT = 0.8;
const JITTER = 0.1;
/** Seconds before its end at which a token is no longer given out: it must outlive the call. */
const MARGIN = 5;
/** Seconds after a failed refresh in which none is tried, as long as the old token still lives. */
const PAUSE_AFTER_FAILURE = 5;
const MAX_ENTRIES = 1000;

export interface TokenCacheDeps {
  /** Epoch seconds. */
  readonly clock: () => number;
  /** From 0 to 1. */
  readonly fraction: () => number;
}

interface Entry {
  token: AccessToken | undefined;
  obtainedAt: number;
  /** Seconds since then. */
  refreshAfter: number;
  usableFor: number;
  flight: Promise<AccessToken> | undefined;
}

export class TokenCache {
  readonly #deps: TokenCacheDeps;
  readonly #entries = new Map<string, Entry>();

  constructor(deps: TokenCacheDeps) {
    this.#deps = deps;
  }

  /** The token kept under `key`, else what `obtain` gives; rejects with what `obtain` rejects with. */
  get(key: string, obtain: () => Promise<AccessToken>): Promise<AccessToken> {
    const entry = this.#entry(key);
    const age = this.#age(entry);
    if (entry.token === undefined || age >= entry.usableFor) return this.#refresh(entry, obtain);
    if (age >= entry.refreshAfter) {
      // Whoever asks now is served at once; the failure of a refresh is nobody's business while the token lives.
      this.#refresh(entry, obtain).catch(() => {
        entry.refreshAfter = this.#age(entry) + PAUSE_AFTER_FAILURE;
      });
    }
    return Promise.resolve(entry.token);
  }

  /**
   * Forgets a token that an API did not take. False when nothing better can be hoped for: it is only seconds old.
   * True, too, when another caller has replaced it already.
   */
  reject(key: string, accessToken: string): boolean {
    const entry = this.#entries.get(key);
    if (entry?.token?.accessToken !== accessToken) return true;
    if (this.#age(entry) < PAUSE_AFTER_FAILURE) return false;
    entry.token = undefined;
    return true;
  }

  /** A clock that was set back counts as time gone by. */
  #age({ obtainedAt }: Entry): number {
    return Math.abs(this.#deps.clock() - obtainedAt);
  }

  #refresh(entry: Entry, obtain: () => Promise<AccessToken>): Promise<AccessToken> {
    entry.flight ??= obtain()
      .then((token) => {
        this.#keep(entry, token);
        return token;
      })
      .finally(() => {
        entry.flight = undefined;
      });
    return entry.flight;
  }

  #keep(entry: Entry, token: AccessToken): void {
    const now = this.#deps.clock();
    const life = Math.max(0, token.expiresAt - now);
    const part = REFRESH_AT * (1 + JITTER * (2 * this.#deps.fraction() - 1));
    entry.token = token;
    entry.obtainedAt = now;
    entry.refreshAfter = Math.floor(life * part);
    entry.usableFor = token.expiresAt - now - Math.min(MARGIN, life * 0.1);
  }

  /** The entry for `key`, the oldest making room for a new one. */
  #entry(key: string): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= MAX_ENTRIES) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    const entry = { token: undefined, obtainedAt: 0, refreshAfter: 0, usableFor: 0, flight: undefined };
    this.#entries.set(key, entry);
    return entry;
  }
}
