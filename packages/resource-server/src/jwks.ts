// The keys of one issuer, kept: RFC 7517 §5, found through RFC 8414 §3.
import {
  type JwsAlgorithm,
  type PublicJwkSetResult,
  readJwkSet,
  type ServerMetadata,
} from '@countersign/protocol/portable';
import { discoverServer, endpointOf, fetchBounded } from '@countersign/protocol/discovery';
import type { Platform, PlatformKey } from './platform/platform.ts';
import type { IssuerSettings } from './settings.ts';

/** Seconds after which keys are fetched anew in the background. */
const REFRESH_AFTER = 300;
/** Seconds for which keys may be used although no refresh succeeds. Cut-offs of keys arrive by the feed. */
const USE_AT_MOST = 86_400;
/** Seconds between fetches that a token with an unknown kid causes, so that nobody can make us flood the issuer. */
const UNKNOWN_KID_COOLDOWN = 30;
/** Seconds between fetches while there are no keys at all. */
const EMPTY_COOLDOWN = 1;
const MAX_KEYS = 100;
const MAX_BYTES = 262_144;

export interface JwksDeps {
  readonly platform: Pick<Platform, 'importKey'>;
  readonly fetch: typeof globalThis.fetch;
  /** Epoch seconds. */
  readonly clock: () => number;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The set could not be used. */
export class JwksError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JwksError';
  }
}

export class Jwks {
  readonly #issuer: IssuerSettings;
  readonly #deps: JwksDeps;
  #keys: readonly PlatformKey[] | undefined;
  #fetchedAt = 0;
  #triedAt = Number.NEGATIVE_INFINITY;
  #flight: Promise<void> | undefined;
  readonly #fixed: boolean;

  /** @throws JwksError when a set was given that cannot be used */
  constructor(issuer: IssuerSettings, deps: JwksDeps) {
    this.#issuer = issuer;
    this.#deps = deps;
    this.#fixed = typeof issuer.jwks === 'object';
    if (typeof issuer.jwks === 'object') this.#keys = this.#usable(readJwkSet(issuer.jwks, this.#limits()));
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
      const age = this.#keys === undefined ? Number.POSITIVE_INFINITY : now - this.#fetchedAt;
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
    if (this.#fixed) return 'unknown';
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
    if (this.#keys === undefined) await this.#refresh();
  }

  #age(): number {
    return this.#keys === undefined ? Number.POSITIVE_INFINITY : this.#deps.clock() - this.#fetchedAt;
  }

  /** A clock that was set back counts as time gone by. */
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
    const { fetch, clock, signal, timeoutMs = 5000 } = this.#deps;
    this.#triedAt = clock();
    const url = await this.#url();
    const response = await fetchBounded(url, {
      fetch,
      timeoutMs,
      maxBytes: MAX_BYTES,
      signal,
      headers: { accept: 'application/jwk-set+json, application/json' },
    });
    if (response.status !== 200) throw new JwksError(`${url} answered ${response.status}`);
    // The whole set is replaced: a key that is no longer published is no longer trusted.
    const keys = this.#usable(readJwkSet(response.body, this.#limits()));
    this.#keys = keys.map((key) => this.#keys?.find((each) => isSameKey(each, key)) ?? key);
    this.#fetchedAt = clock();
  }

  async #url(): Promise<string> {
    if (typeof this.#issuer.jwks === 'string') return this.#issuer.jwks;
    const { fetch, signal, timeoutMs = 5000 } = this.#deps;
    const metadata: ServerMetadata = await discoverServer(this.#issuer.issuer, { fetch, timeoutMs, signal });
    return endpointOf(metadata, 'jwks_uri');
  }

  #usable(set: PublicJwkSetResult): readonly PlatformKey[] {
    if (!set.ok) throw new JwksError(`the key set of ${this.#issuer.issuer} cannot be read: ${set.fault}`);
    const keys: PlatformKey[] = [];
    const skipped = set.skipped.map(({ index, fault }) => `key ${index} ${fault}`);
    for (const { index, key } of set.keys) {
      if (!this.#issuer.algorithms.has(key.alg)) continue;
      const imported = this.#deps.platform.importKey(key);
      if (imported === undefined) skipped.push(`key ${index} not_on_curve`);
      else keys.push(imported);
    }
    if (keys.length > 0) return keys;
    const why = skipped.join(', ');
    throw new JwksError(`the key set of ${this.#issuer.issuer} has no key that may be used (${why})`);
  }

  #limits(): Parameters<typeof readJwkSet>[1] & object {
    const { rsaAlgorithm } = this.#issuer;
    return {
      maxKeys: MAX_KEYS,
      maxBytes: MAX_BYTES,
      ...(rsaAlgorithm === undefined ? {} : { rsaAlgorithm }),
    };
  }
}

function isSameKey(one: PlatformKey, other: PlatformKey): boolean {
  const same = JSON.stringify(one.material) === JSON.stringify(other.material);
  return same && one.kid === other.kid && one.alg === other.alg;
}
