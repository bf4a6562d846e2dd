// Tokens by the key that they are bound to: RFC 9200 §5.10.1 (one for each key), RFC 9202 §3.3.2.
import type { AccessCwtClaims } from '@countersign/cose';
import type { TokenFault } from './refusal.ts';

/** A token that was good when it came, and what follows from it. */
export interface HeldToken {
  readonly claims: AccessCwtClaims;
  /** The client's and ours. */
  readonly key: Uint8Array;
  /** Of the key that signed it and of the secret that its key comes from: both may be cut off. */
  readonly kids: readonly string[];
}

interface Entry {
  token: HeldToken;
  /** Tokens of the same second that it took the place of, by their `cti`: they do not come back. */
  superseded: Set<string>;
  /** Who brought it; undefined once somebody has proved to have its key. */
  unprovenFrom: string | undefined;
}

export interface TokenStoreLimits {
  readonly tokens: number;
  /** Of those, without a proof yet; and from one address. */
  readonly unproven: number;
  readonly unprovenPerAddress: number;
}

export const TOKEN_STORE_LIMITS: TokenStoreLimits = {
  tokens: 20_000,
  unproven: 4096,
  unprovenPerAddress: 256,
};

/** Tokens for one key with the same `iat`. */
const MOST_IN_A_SECOND = 8;

export interface TokenStore {
  /** Undefined: it is held now, in the place of an older one with the same key. */
  add(token: HeldToken, from: string): TokenFault | undefined;
  byKid(kid: Uint8Array): HeldToken | undefined;
  /** Somebody has proved to have its key. */
  proved(kid: Uint8Array): void;
  /** Forgets what is over. */
  sweep(isOver: (token: HeldToken) => boolean): void;
  readonly size: number;
}

/**
 * Anybody may bring a good token, so what nobody has proved gives way to what is new: the oldest of its own address, or of all.
 */
export function createTokenStore(limits: TokenStoreLimits = TOKEN_STORE_LIMITS): TokenStore {
  const entries = new Map<string, Entry>();
  /** In the order in which they came. */
  const unproven = new Map<string, string>();

  function remove(kid: string): void {
    entries.delete(kid);
    unproven.delete(kid);
  }

  function makeRoom(from: string): void {
    const own = [...unproven].filter(([, address]) => address === from);
    const [oldest] =
      own.length >= limits.unprovenPerAddress ? own : unproven.size >= limits.unproven ? unproven : [];
    if (oldest !== undefined) remove(oldest[0]);
  }

  /** RFC 9202 §3.4: the later one counts, by `iat`; within a second the one that was brought later. */
  function replace(entry: Entry, token: HeldToken): TokenFault | undefined {
    const { claims } = entry.token;
    const [cti, ctiBefore] = [textOf(token.claims.cti), textOf(claims.cti)];
    if (token.claims.iat < claims.iat || entry.superseded.has(cti)) return 'older_token';
    if (token.claims.iat > claims.iat) entry.superseded.clear();
    else if (cti !== ctiBefore) {
      if (entry.superseded.size === MOST_IN_A_SECOND) return 'older_token';
      entry.superseded.add(ctiBefore);
    }
    entry.token = token;
    return undefined;
  }

  return {
    add(token, from) {
      const kid = textOf(token.claims.kid);
      const known = entries.get(kid);
      if (known !== undefined) {
        const { claims } = known.token;
        if (claims.sub !== token.claims.sub || claims.iss !== token.claims.iss) return 'key_of_another';
        return replace(known, token);
      }
      makeRoom(from);
      if (entries.size >= limits.tokens) return 'too_many_tokens';
      entries.set(kid, { token, superseded: new Set(), unprovenFrom: from });
      unproven.set(kid, from);
      return undefined;
    },
    byKid: (kid) => entries.get(textOf(kid))?.token,
    proved(kid) {
      const text = textOf(kid);
      const entry = entries.get(text);
      if (entry !== undefined) entry.unprovenFrom = undefined;
      unproven.delete(text);
    },
    sweep(isOver) {
      for (const [kid, { token }] of entries) if (isOver(token)) remove(kid);
    },
    get size() {
      return entries.size;
    },
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
