// The keys of one issuer, kept: RFC 7517 §5, found through RFC 8414 §3.
import type { JwsAlgorithm } from '@countersign/protocol/portable';
import type { Platform, PlatformKey } from './platform/platform.ts';
import type { IssuerSettings } from './issuer-settings.ts';

/** Seconds after which keys are fetched anew in the background. */
const REFRESH_AFTER = 300;
/** Seconds for which keys may be used although no refresh succeeds. Cut-offs of keys arrive by the feed. */
const USE_AT_MOST = 86_400;
/** Seconds between fetches that a token with an unknown kid causes, so that nobody can make us flood the issuer. */
const UNKNOWN_KID_COOLDOWN = 30;
/** Seconds between fetches while there are no keys at all. */
const EMPTY_COOLDOWN = 1;

export interface JwksDeps {
  readonly platform: Pick<Platform, 'readKeys'>;
  readonly fetch: typeof globalThis.fetch;
  /** Epoch seconds. */
  readonly clock: () => number;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export class Jwks {
  readonly #issuer: IssuerSettings;
  readonly #deps: JwksDeps;
  #keys: readonly PlatformKey[] | undefined;
  /** Of a set that was given, where that takes time. */
  #reading: Promise<void> | undefined;
  #fetchedAt = 0;
  #triedAt = -Infinity;
  #flight: Promise<void> | undefined;
  readonly #fixed: boolean;

  /** @throws JwksError when a set was given that cannot be used */
  constructor(issuer: IssuerSettings, deps: JwksDeps) {
    this.#issuer = issuer;
    this.#deps = deps;
    this.#fixed = typeof issuer.jwks === 'object';
    if (typeof issuer.jwks !== 'object') return;
    const read = deps.platform.readKeys(issuer.jwks, issuer);
    if (read instanceof Promise) this.#reading = read.then((keys) => this.#keep(keys));
    else this.#keys = read;
    this.#reading?.catch(() => undefined);
  }

  /**
   * The key for a token's header, where nobody has to be asked for it; a refresh that is due goes on behind it. The same
   * key is the same object for as long as its issuer publishes it.
   */
  known(
    kid: string | undefined,
    alg: JwsAlgorithm,
    now: number = this.#deps.clock(),
  ): PlatformKey | undefined {
    if (!this.#fixed) {
      const age = this.#age(now);
      if (age > USE_AT_MOST) return undefined;
      if (age > REFRESH_AFTER && this.#quietFor(UNKNOWN_KID_COOLDOWN)) this.#refresh().catch(() => undefined);
    }
    return this.#pick(kid, alg);
  }

  /**
   * The key for a token's header. Without a kid, the only key of that algorithm. `unknown` may follow a fetch, if the
   * last one was `cooldown` seconds ago; `unavailable` means that there are no keys that may still be used.
   */
  async find(
    kid: string | undefined,
    alg: JwsAlgorithm,
    cooldown: number = UNKNOWN_KID_COOLDOWN,
  ): Promise<PlatformKey | 'unknown' | 'unavailable'> {
    const known = this.known(kid, alg);
    if (known !== undefined) return known;
    if (this.#fixed) {
      await this.#reading?.catch(() => undefined);
      if (this.#keys === undefined) return 'unavailable';
      return this.#pick(kid, alg) ?? 'unknown';
    }
    if (this.#age() > USE_AT_MOST) {
      if (this.#quietFor(EMPTY_COOLDOWN)) await this.#refresh().catch(() => undefined);
      else await this.#flight?.catch(() => undefined);
      if (this.#age() > USE_AT_MOST) return 'unavailable';
    }
    const key = this.#pick(kid, alg);
    if (key !== undefined) return key;
    if (this.#flight === undefined && !this.#quietFor(cooldown)) return 'unknown';
    await this.#refresh().catch(() => undefined);
    return this.#pick(kid, alg) ?? 'unknown';
  }

  /** Fetches the keys unless they are there. Rejects with what went wrong. */
  async load(): Promise<void> {
    await this.#reading;
    if (this.#keys === undefined) await this.#refresh();
  }

  /** The whole set is replaced: a key that is no longer published is no longer trusted. */
  #keep(keys: readonly PlatformKey[]): void {
    this.#keys = keys.map((key) => this.#keys?.find((each) => isSameKey(each, key)) ?? key);
  }

  /** A clock that was set back counts as time gone by. */
  #age(now: number = this.#deps.clock()): number {
    return this.#keys === undefined ? Infinity : Math.abs(now - this.#fetchedAt);
  }

  #quietFor(seconds: number): boolean {
    return Math.abs(this.#deps.clock() - this.#triedAt) >= seconds;
  }

  #pick(kid: string | undefined, alg: JwsAlgorithm): PlatformKey | undefined {
    const keys = this.#keys ?? [];
    if (kid !== undefined) {
      for (const key of keys) if (key.kid === kid) return key;
      return undefined;
    }
    const fitting = keys.filter((key) => key.alg === alg);
    return fitting.length === 1 ? fitting[0] : undefined;
  }

  /** One fetch at a time, however many ask. */
  #refresh(): Promise<void> {
    this.#flight ??= this.#fetch().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  async #fetch(): Promise<void> {
    const { clock } = this.#deps;
    this.#triedAt = clock();
    const { fetchJwks } = await import('./jwks-fetch.ts');
    const body = await fetchJwks(this.#issuer, this.#deps);
    this.#keep(await this.#deps.platform.readKeys(body, this.#issuer));
    this.#fetchedAt = clock();
  }
}

function isSameKey(one: PlatformKey, other: PlatformKey): boolean {
  const same = JSON.stringify(one.material) === JSON.stringify(other.material);
  return same && one.kid === other.kid && one.alg === other.alg;
}
