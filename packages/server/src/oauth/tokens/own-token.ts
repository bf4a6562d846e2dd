// Reading back a token that this authority issued: RFC 9068 §4, RFC 7662 §2.2.
import { hash } from 'node:crypto';
import {
  type AccessTokenClaims,
  asBuffer,
  OPAQUE_TOKEN_PREFIX,
  parseAccessTokenClaims,
  parseCompactJws,
  verifyJws,
} from '@countersign/protocol';
import type { Clock } from '../../clock.ts';
import { backToBack } from '../../keys/back-to-back.ts';
import { createKeyRefresh, OWN_KID } from '../../keys/key-refresh.ts';
import type { Keystore } from '../../keys/keystore.ts';
import { readOpaqueClaims } from './opaque-claims.ts';
import { openOpaqueToken } from './opaque-token.ts';
import { readOwnCwt } from './own-cwt.ts';

/** A token whose signature, or seal, is right. Whether it is still good is `token-state.ts`'s business. */
export interface OwnToken {
  readonly kid: string;
  readonly claims: AccessTokenClaims;
  /** The claims as they were signed: one JSON object. */
  readonly payload: string;
  /** Whether the key is still published, or kept: asked each time, or a compromised one would go on being believed. */
  readonly stillTrusted: () => boolean;
}

export interface OwnTokenReader {
  /**
   * Undefined for everything that is no token of this authority. At once for one that was read before. Rejects only when
   * it names a key that this node has not read yet, and the keys cannot be read then (`StorageError`).
   */
  read(token: string): OwnToken | undefined | Promise<OwnToken | undefined>;
}

export interface OwnTokenDeps {
  readonly issuer: string;
  readonly keystore: Pick<Keystore, 'verificationKey' | 'openingKey'> & { reload(): Promise<void> };
  readonly clock: Clock;
}

type Judged = OwnToken | 'unknown_key' | undefined;

/** Tokens remembered at most; an API asks about the same one again and again. */
const CAPACITY = 10_000;
/** What a token of ours can be long: many scopes, a delegation and an RSA signature. Longer ones are not issued: nobody reads them. */
export const MAX_TOKEN_BYTES = 16_384;
/** Every other kind of JWT that is signed here has a `typ` of its own (RFC 8725 §3.11). */
const TYPES: ReadonlySet<unknown> = new Set(['at+jwt', 'JWT']);

/**
 * What was verified once is remembered by the token's digest, so that no token that works lies in memory for longer than
 * its request; the key is asked for each time, or a compromised one would go on being believed.
 */
export function createOwnTokenReader(deps: OwnTokenDeps): OwnTokenReader {
  const known = new Map<string, OwnToken>();
  const refreshKeys = createKeyRefresh(deps);

  function open(token: string): Judged {
    if (token.length > MAX_TOKEN_BYTES) return undefined;
    const opened = openOpaqueToken(deps.keystore, deps.issuer, token);
    if (typeof opened !== 'object') return opened;
    const payload = readOpaqueClaims(opened.text, deps.issuer, opened.jti);
    const parsed = parseAccessTokenClaims(Buffer.from(payload));
    const stillTrusted = () => deps.keystore.openingKey(opened.tag) !== undefined;
    return parsed.ok ? { kid: opened.kid, claims: parsed.claims, payload, stillTrusted } : undefined;
  }

  function verify(token: string): Judged {
    const jws = parseCompactJws(token, MAX_TOKEN_BYTES);
    if (!jws.ok || !TYPES.has(jws.header.typ) || jws.header.kid === undefined) return undefined;
    const { kid } = jws.header;
    const key = deps.keystore.verificationKey(kid);
    if (key === undefined) return OWN_KID.test(kid) ? 'unknown_key' : undefined;
    if (!verifyJws(jws, { kid, alg: key.alg, keyObject: key.publicKey })) return undefined;
    const parsed = parseAccessTokenClaims(jws.payload);
    if (!parsed.ok || parsed.claims.iss !== deps.issuer) return undefined;
    const stillTrusted = () => deps.keystore.verificationKey(kid) !== undefined;
    return { kid, claims: parsed.claims, payload: asBuffer(jws.payload).toString('utf8'), stillTrusted };
  }

  function readCwt(token: string): Judged {
    const own = readOwnCwt(deps, token);
    if (typeof own !== 'object') return own;
    const { kid, payload, secretTag } = own;
    const parsed = parseAccessTokenClaims(Buffer.from(payload));
    // The secret that its key comes from is as good a reason not to believe it as the key of its signature.
    const stillTrusted = () =>
      deps.keystore.verificationKey(kid) !== undefined && deps.keystore.openingKey(secretTag) !== undefined;
    return parsed.ok ? { kid, claims: parsed.claims, payload, stillTrusted } : undefined;
  }

  const judge = (token: string): Judged =>
    token.startsWith(OPAQUE_TOKEN_PREFIX)
      ? open(token)
      : token.includes('.')
        ? verify(token)
        : readCwt(token);
  const judgeInTurn = backToBack(judge);

  async function readAnew(token: string, digest: string): Promise<OwnToken | undefined> {
    const own = await judgeInTurn(token);
    if (own === 'unknown_key') return judgeAnew(token, digest);
    return own === undefined ? undefined : remember(digest, own);
  }

  function remember(digest: string, own: OwnToken): OwnToken {
    if (known.size >= CAPACITY) {
      const oldest = known.keys().next();
      if (oldest.done !== true) known.delete(oldest.value);
    }
    known.set(digest, own);
    return own;
  }

  /** Another node may have made the key a moment ago, and signed with it. */
  async function judgeAnew(token: string, digest: string): Promise<OwnToken | undefined> {
    await refreshKeys();
    const own = judge(token);
    return typeof own === 'object' ? remember(digest, own) : undefined;
  }

  return {
    read(token) {
      const digest = hash('sha256', token, 'base64');
      const remembered = known.get(digest);
      if (remembered !== undefined) return remembered.stillTrusted() ? remembered : undefined;
      return readAnew(token, digest);
    },
  };
}
