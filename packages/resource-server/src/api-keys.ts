// API keys in the place of tokens: exchanged at the token endpoint (RFC 6749 §4.4) and kept for a short while.
import { type Issuer, parseJsonObject } from '@countersign/protocol/portable';
import { parseSecret } from '@countersign/protocol/secret-format';
import { parseTokenResponse } from '@countersign/protocol/token-response';
import {
  type BoundedResponse,
  discoverServer,
  endpointOf,
  fetchBounded,
} from '@countersign/protocol/discovery';
import type { Finding } from './finding.ts';

/** A key that was refused is not asked about again for so many seconds. */
const REFUSED_FOR = 10;
/** Keys kept at most, of those that opened and of those that did not. About 20 MB. */
const MOST_KEPT = 10_000;
/** Exchanges under way at once of keys that never opened: strangers invent them, and each costs the authority a request. */
const MOST_UNDER_WAY = 32;
/** Seconds for which the address of the token endpoint is kept. */
const ENDPOINT_FOR = 3600;
const TIMEOUT_MS = 5000;
const MAX_BYTES = 65_536;
/** A token that ends in less than this is of no use to who waits for an answer. */
const LEAST_LEFT = 5;

export interface ApiKeySettings {
  readonly issuer: Issuer;
  /** The resource to ask for. */
  readonly resource: string;
  /** Seconds. */
  readonly cacheFor: number;
}

export interface ApiKeysDeps {
  readonly fetch: typeof globalThis.fetch;
  /** Epoch seconds. */
  readonly clock: () => number;
  /** base64url. */
  readonly sha256: (text: string) => string | Promise<string>;
  readonly signal: AbortSignal;
}

interface Kept {
  /** A token, or why there is none. */
  readonly answer: string | Finding;
  readonly since: Since;
}

/** Epoch seconds, and how many it lasts. */
interface Since {
  readonly at: number;
  readonly seconds: number;
}

/** Tokens for API keys. Keys themselves are not held: what is known of one stands under its digest. */
export class ApiKeys {
  readonly #settings: ApiKeySettings;
  readonly #deps: ApiKeysDeps;
  readonly #opened = new Map<string, Kept>();
  readonly #refused = new Map<string, Kept>();
  readonly #underWay = new Map<string, Promise<string | Finding>>();
  /** Of those, keys that are not known to have opened. */
  #strangers = 0;
  #endpoint: { readonly url: Promise<string>; readonly since: Since } | undefined;

  constructor(settings: ApiKeySettings, deps: ApiKeysDeps) {
    this.#settings = settings;
    this.#deps = deps;
  }

  /** A token to be verified like any other, or why there is none. Whoever asks for one key at once shares one request. */
  async exchange(key: string): Promise<string | Finding> {
    // A checksum tells typing errors apart without asking anybody.
    if (parseSecret(key)?.kind !== 'cak') return { reason: 'malformed_token', detail: 'api_key' };
    const id = await this.#deps.sha256(key);
    const kept = this.#opened.get(id) ?? this.#refused.get(id);
    if (kept !== undefined && this.#lasts(kept.since)) return kept.answer;
    const underWay = this.#underWay.get(id);
    if (underWay !== undefined) return await underWay;
    // What opened before waits for no stranger.
    const stranger = this.#opened.has(id) ? 0 : 1;
    if (stranger === 1 && this.#strangers >= MOST_UNDER_WAY) return unavailable('too many at once');
    this.#strangers += stranger;
    const asking = this.#ask(key, id).finally(() => {
      this.#underWay.delete(id);
      this.#strangers -= stranger;
    });
    this.#underWay.set(id, asking);
    return await asking;
  }

  async #ask(key: string, id: string): Promise<string | Finding> {
    // Counted from before the question: what was true then may have ended since.
    const at = this.#deps.clock();
    let response: BoundedResponse;
    try {
      response = await fetchBounded(await this.#tokenEndpoint(), {
        fetch: this.#deps.fetch,
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_BYTES,
        signal: this.#deps.signal,
        method: 'POST',
        headers: {
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded',
          'x-api-key': key,
        },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          resource: this.#settings.resource,
        }).toString(),
      });
    } catch (error) {
      return unavailable(error instanceof Error && 'code' in error ? String(error.code) : 'network');
    }
    return this.#read(response, id, at);
  }

  #read({ status, body }: BoundedResponse, id: string, at: number): string | Finding {
    const parsed = parseJsonObject(body);
    if (status === 200) {
      const token = parsed.ok ? parseTokenResponse(parsed.value) : undefined;
      // A token of another type would need a proof that an API key does not come with.
      if (token === undefined || token.token_type.toLowerCase() !== 'bearer') return unavailable('malformed');
      const left = (token.expires_in ?? 0) - LEAST_LEFT;
      const seconds = Math.min(this.#settings.cacheFor, left);
      this.#keep(this.#opened, id, { answer: token.access_token, since: { at, seconds } });
      return token.access_token;
    }
    // RFC 6749 §5.2: what is wrong with the request stays wrong; 429 and 5xx pass.
    if (status !== 400 && status !== 401 && status !== 403) return unavailable(String(status));
    const code: unknown = parsed.ok ? parsed.value['error'] : undefined;
    const finding: Finding = {
      reason: 'api_key_refused',
      detail: typeof code === 'string' && /^[a-z_]{1,40}$/.test(code) ? code : String(status),
    };
    this.#keep(this.#refused, id, { answer: finding, since: { at, seconds: REFUSED_FOR } });
    return finding;
  }

  #keep(where: Map<string, Kept>, id: string, kept: Kept): void {
    this.#opened.delete(id);
    this.#refused.delete(id);
    if (kept.since.seconds <= 0) return;
    if (where.size >= MOST_KEPT) {
      const oldest = where.keys().next();
      if (oldest.done !== true) where.delete(oldest.value);
    }
    where.set(id, kept);
  }

  /** A clock that was set back counts as time gone by. */
  #lasts({ at, seconds }: Since): boolean {
    return Math.abs(this.#deps.clock() - at) < seconds;
  }

  #tokenEndpoint(): Promise<string> {
    if (this.#endpoint === undefined || !this.#lasts(this.#endpoint.since)) {
      const { fetch, signal, clock } = this.#deps;
      const url = discoverServer(this.#settings.issuer, { fetch, signal, timeoutMs: TIMEOUT_MS }).then(
        (found) => endpointOf(found, 'token_endpoint'),
      );
      const endpoint = { url, since: { at: clock(), seconds: ENDPOINT_FOR } };
      this.#endpoint = endpoint;
      // What failed is tried anew by the next key; those that wait for it now are told.
      url.catch(() => {
        if (this.#endpoint === endpoint) this.#endpoint = undefined;
      });
    }
    return this.#endpoint.url;
  }
}

function unavailable(detail: string): Finding {
  return { reason: 'api_keys_unavailable', detail };
}
