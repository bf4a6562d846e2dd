// The cut-off feed: a JWT of our own kind (RFC 7519, RFC 8725 §3.11), `typ: cutoffs+jwt`.
import type { AccessTokenClaims } from './access-token-claims.ts';
import { isNumericDate } from './numeric-date.ts';
import { isJsonObject, type JsonFault, parseJsonObject } from './strict-json.ts';

/** What is no longer trusted: `id` is the client_id, the credential id (`crd`), the `jti`, or the `kid`. */
export const CUTOFF_KINDS = ['identity', 'credential', 'token', 'key'] as const;
export type CutoffKind = (typeof CUTOFF_KINDS)[number];

export interface CutoffEntry {
  readonly kind: CutoffKind;
  readonly id: string;
  /**
   * Epoch seconds. Tokens with `iat` at or before it are refused; for a key, every token whatever its `iat`, because
   * whoever stole the key chooses it.
   */
  readonly not_before: number;
}

/** One page of the feed. It takes a follower from the state after `from` to the state after `cursor`. */
export interface CutoffFeed {
  readonly iss: string;
  readonly iat: number;
  readonly exp: number;
  /** The cursor that was asked for; 0 for "everything that still matters". */
  readonly from: number;
  /** The receipt; never below `from`. */
  readonly cursor: number;
  /** Empty is the heartbeat. */
  readonly entries: readonly CutoffEntry[];
}

export type CutoffFeedFault =
  | JsonFault
  | 'bad_iss'
  | 'bad_iat'
  | 'bad_exp'
  | 'bad_cursor'
  | 'bad_entries'
  | 'bad_entry';

export type CutoffFeedResult =
  | { readonly ok: true; readonly feed: CutoffFeed }
  | { readonly ok: false; readonly fault: CutoffFeedFault };

/** By kind, and in it by id, the latest `not_before`. Most kinds are empty, and what is empty costs nothing to ask. */
export type CutoffIndex = { readonly [kind in CutoffKind]: ReadonlyMap<string, number> };

/** Bytes of the largest page that is read. */
export const MAX_CUTOFF_FEED_BYTES = 16_777_216;

const KINDS: readonly unknown[] = CUTOFF_KINDS;

/** Reads the payload of a feed whose signature has been verified. */
export function parseCutoffFeed(payload: Uint8Array): CutoffFeedResult {
  const parsed = parseJsonObject(payload, { maxDepth: 4, maxBytes: MAX_CUTOFF_FEED_BYTES });
  if (!parsed.ok) return parsed;
  const { iss, iat, exp, from, cursor, entries } = { __proto__: null, ...parsed.value } as {
    [name: string]: unknown;
  };
  if (typeof iss !== 'string' || iss === '') return refuse('bad_iss');
  if (!isNumericDate(iat)) return refuse('bad_iat');
  if (!isNumericDate(exp) || exp <= iat) return refuse('bad_exp');
  if (!isCursor(from) || !isCursor(cursor) || cursor < from) return refuse('bad_cursor');
  if (!Array.isArray(entries)) return refuse('bad_entries');
  if (!entries.every(isEntry)) return refuse('bad_entry');
  return { ok: true, feed: { iss, iat, exp, from, cursor, entries } };
}

/** An index over `entries`, on top of what `before` knew. A later order never brings an earlier one forward. */
export function indexCutoffs(entries: readonly CutoffEntry[], before?: CutoffIndex): CutoffIndex {
  const index = {
    identity: new Map(before?.identity),
    credential: new Map(before?.credential),
    token: new Map(before?.token),
    key: new Map(before?.key),
  };
  for (const { kind, id, not_before } of entries) {
    index[kind].set(id, Math.max(index[kind].get(id) ?? 0, not_before));
  }
  return index;
}

/** What a cut-off may be about, of a token. */
export type CutoffSubject = Pick<AccessTokenClaims, 'client_id' | 'crd' | 'jti' | 'iat'> &
  Partial<Pick<AccessTokenClaims, 'sub' | 'act' | 'via'>>;

/**
 * The order that cuts the token off, or `undefined`. `kid` is that of the key that made its signature. A token that was
 * exchanged ends with everybody it names and with every token, credential and key it comes from (RFC 8693 §4.1).
 */
export function cutOffBy(
  index: CutoffIndex,
  claims: CutoffSubject,
  kid: string | undefined,
): CutoffEntry | undefined {
  const { iat } = claims;
  let found = orderFor(index, 'identity', claims.client_id, iat);
  // Mostly the same: a lookup is what costs here.
  if (claims.sub !== claims.client_id) found ??= orderFor(index, 'identity', claims.sub, iat);
  for (let act = claims.act; found === undefined && act !== undefined; act = act.act)
    found = orderFor(index, 'identity', act.sub, iat);
  found ??= orderFor(index, 'credential', claims.crd, iat) ?? orderFor(index, 'token', claims.jti, iat);
  for (const each of claims.via ?? NO_TOKENS)
    found ??=
      orderFor(index, 'credential', each.crd, iat) ??
      orderFor(index, 'token', each.jti, iat) ??
      orderFor(index, 'key', each.kid, iat);
  return found ?? orderFor(index, 'key', kid, iat);
}

const NO_TOKENS: NonNullable<CutoffSubject['via']> = [];

function orderFor(
  index: CutoffIndex,
  kind: CutoffKind,
  id: string | undefined,
  iat: number,
): CutoffEntry | undefined {
  const orders = index[kind];
  if (id === undefined || orders.size === 0) return undefined;
  const notBefore = orders.get(id);
  if (notBefore === undefined) return undefined;
  return kind === 'key' || iat <= notBefore ? { kind, id, not_before: notBefore } : undefined;
}

/** True when nothing that this key signs is to be believed any more. */
export function isKeyCutOff(index: CutoffIndex, kid: string | undefined): boolean {
  return kid !== undefined && index.key.has(kid);
}

/** True when an order cuts the token off. */
export function isCutOff(index: CutoffIndex, claims: CutoffSubject, kid: string | undefined): boolean {
  return cutOffBy(index, claims, kid) !== undefined;
}

function isCursor(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isEntry(value: unknown): value is CutoffEntry {
  if (!isJsonObject(value)) return false;
  const { kind, id, not_before } = { __proto__: null, ...value } as { [name: string]: unknown };
  return KINDS.includes(kind) && typeof id === 'string' && id !== '' && isNumericDate(not_before);
}

function refuse(fault: CutoffFeedFault): CutoffFeedResult {
  return { ok: false, fault };
}
