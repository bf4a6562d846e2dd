// Keys of others, by the address they are published at: RFC 7517 §5; discovery: OpenID Connect Discovery §4, RFC 8414 §3.
import { isJsonObject, parseJsonObject, parseJwkSet, type VerificationKey } from '@countersign/protocol';
import { OutboundRefusal } from './outbound-refusal.ts';
import type { SafeFetch } from './safe-fetch.ts';

/** How long keys are used without asking again: a key that is gone from its set stops working within it. */
export const JWKS_FRESH_MS = 300_000;
/** How long they are used, counted from when they came, while the publisher cannot be reached. */
export const JWKS_STALE_MS = 3_600_000;
/** Between two requests for one set, whether a key was not in it or it could not be had. */
export const JWKS_COOLDOWN_MS = 30_000;
export const JWKS_MAX_KEYS = 100;
/**
 * Sets that are remembered, and keys in all of them. Beyond that the one longest out of use goes, and with it how long ago
 * it was asked for: who knows more clients than this could have sets fetched again and again.
 */
export const JWKS_KEPT: { readonly sets: number; readonly keys: number } = { sets: 10_000, keys: 20_000 };
/** As many fetches are remembered for how long they took. */
const FETCHES_TIMED = 100;

export interface JwksSource {
  /** `jwks`: a JWK set is there. `discovery`: it is the issuer, whose metadata say where its JWK set is. */
  readonly kind: 'jwks' | 'discovery';
  readonly url: string;
  /** PEM certificates that are trusted for it in place of the platform's. */
  readonly ca?: string | undefined;
  /** What RSA keys without `alg` are for; without it they are passed over. */
  readonly rsaAlgorithm?: 'RS256' | 'RS384' | 'PS256' | undefined;
}

/** Chooses one of the published keys, or none. */
export type PickKey = (keys: readonly VerificationKey[]) => VerificationKey | undefined;

export interface JwksCache {
  /**
   * The key that `pick` chooses from the set at `now` (epoch ms). Where it chooses none, the set is fetched again, at most
   * every JWKS_COOLDOWN_MS. Requests for one set share one fetch. Rejects with OutboundRefusal while no set can be had.
   */
  find(source: JwksSource, pick: PickKey, now: number): Promise<VerificationKey | undefined>;
  /** Milliseconds that the slowest of the last fetches took; 0 while there was none. */
  readonly slowestMs: number;
}

/** By `kid` where the header has one, else the only key for that algorithm. Never a guess between two. */
export function pickByHeader({ kid, alg }: { readonly kid?: string; readonly alg: string }): PickKey {
  return (keys) => {
    const fitting = keys.filter((key) => key.alg === alg && (kid === undefined || key.kid === kid));
    return fitting.length === 1 ? fitting[0] : undefined;
  };
}

interface Entry {
  keys: readonly VerificationKey[] | undefined;
  keysAt: number;
  triedAt: number;
  failure: OutboundRefusal | undefined;
  fetching: Promise<void> | undefined;
  /** False once it has gone from among those that are remembered. */
  kept: boolean;
}

export function createJwksCache(
  fetch: SafeFetch,
  elapsed: () => number = () => performance.now(),
  most: typeof JWKS_KEPT = JWKS_KEPT,
): JwksCache {
  const entries = new Map<string, Entry>();
  let took: readonly number[] = [];
  let keysKept = 0;

  function entryOf(source: JwksSource): Entry {
    const id = JSON.stringify([source.kind, source.url, source.rsaAlgorithm, source.ca]);
    const entry: Entry = entries.get(id) ?? {
      keys: undefined,
      keysAt: Number.NEGATIVE_INFINITY,
      triedAt: Number.NEGATIVE_INFINITY,
      failure: undefined,
      fetching: undefined,
      kept: true,
    };
    entries.delete(id);
    entries.set(id, entry);
    letGo();
    return entry;
  }

  function letGo(): void {
    for (const [id, oldest] of entries) {
      if (entries.size <= most.sets && keysKept <= most.keys) break;
      entries.delete(id);
      oldest.kept = false;
      keysKept -= oldest.keys?.length ?? 0;
    }
  }

  function refresh(entry: Entry, source: JwksSource, now: number): Promise<void> {
    if (entry.fetching !== undefined) return entry.fetching;
    const began = elapsed();
    entry.fetching = fetchKeys(fetch, source)
      .then((keys) => {
        if (entry.kept) keysKept += keys.length - (entry.keys?.length ?? 0);
        entry.keys = keys;
        entry.keysAt = now;
        entry.triedAt = now;
        entry.failure = undefined;
        letGo();
      })
      .catch((error: unknown) => {
        if (!(error instanceof OutboundRefusal)) throw error;
        entry.failure = error;
        // Who was not asked needs no rest: or those who keep all turns busy would keep this set from being asked for.
        if (error.reason !== 'too_busy') entry.triedAt = now;
      })
      .finally(() => {
        entry.fetching = undefined;
        took = [...took, elapsed() - began].slice(-FETCHES_TIMED);
      });
    return entry.fetching;
  }

  return {
    get slowestMs() {
      return Math.max(0, ...took);
    },

    async find(source, pick, now) {
      const entry = entryOf(source);
      const mayAsk = (): boolean =>
        entry.fetching !== undefined || isOver(entry.triedAt, JWKS_COOLDOWN_MS, now);
      if (isOver(entry.keysAt, JWKS_FRESH_MS, now) && mayAsk()) await refresh(entry, source, now);
      const found = pick(usable(entry, now));
      if (found !== undefined || !mayAsk()) return found;
      await refresh(entry, source, now);
      return pick(usable(entry, now));
    },
  };
}

function usable(entry: Entry, now: number): readonly VerificationKey[] {
  if (entry.keys !== undefined && !isOver(entry.keysAt, JWKS_STALE_MS, now)) return entry.keys;
  throw entry.failure ?? new OutboundRefusal('timed_out', '?');
}

/** A request that began before the latest fetch has an earlier `now`, by as long as it may wait at most. */
const WAITED_MS = 60_000;

/** A clock that was set back makes everything old. */
function isOver(since: number, length: number, now: number): boolean {
  const age = now - since;
  return age < -WAITED_MS || age >= length;
}

const KEY_SET_TYPES = ['application/jwk-set+json', 'application/json', 'text/plain'];

async function fetchKeys(fetch: SafeFetch, source: JwksSource): Promise<readonly VerificationKey[]> {
  const url = source.kind === 'jwks' ? source.url : await discover(fetch, source);
  const set = parseJwkSet(await fetch(url, { ca: source.ca, accept: KEY_SET_TYPES }), {
    maxKeys: JWKS_MAX_KEYS,
    ...(source.rsaAlgorithm === undefined ? undefined : { rsaAlgorithm: source.rsaAlgorithm }),
  });
  if (!set.ok) throw new OutboundRefusal('not_a_key_set', hostOf(url));
  return set.keys;
}

/** OpenID Connect Discovery §4.3: a document that calls itself by another name than it was asked for is of no use. */
async function discover(fetch: SafeFetch, { url, ca }: JwksSource): Promise<string> {
  const body = await fetch(`${url.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    ca,
    accept: ['application/json'],
  });
  const document = parseJsonObject(body);
  if (!document.ok || !isJsonObject(document.value)) throw new OutboundRefusal('not_json', hostOf(url));
  const { issuer, jwks_uri: jwksUri } = document.value as { issuer?: unknown; jwks_uri?: unknown };
  if (issuer !== url) throw new OutboundRefusal('issuer_mismatch', hostOf(url));
  if (typeof jwksUri !== 'string') throw new OutboundRefusal('not_a_key_set', hostOf(url));
  return jwksUri;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '?';
}
