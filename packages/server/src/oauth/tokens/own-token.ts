// Reading back a token that this authority issued: RFC 9068 §4, RFC 7662 §2.2.
import { hash } from 'node:crypto';
import {
  type AccessTokenClaims,
  type AccessTokenClaimsResult,
  asBuffer,
  OPAQUE_TOKEN_PREFIX,
  parseAccessTokenClaims,
  parsePlainAccessTokenClaims,
  readCompactJws,
  verifyJws,
} from '@countersign/protocol';
import type { Clock } from '../../clock.ts';
import { backToBack } from '../../keys/back-to-back.ts';
import { createKeyRefresh, OWN_KID } from '../../keys/key-refresh.ts';
import type { Keystore } from '../../keys/keystore.ts';
import { createDigestSet, type DigestSet } from './digest-set.ts';
import { goodHeaders } from './good-headers.ts';
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
  /** A token that was signed here and is delivered: its signature need not be verified. Costs nothing where nobody asks about tokens. */
  issued(token: string): void;
}

export interface OwnTokenDeps {
  readonly issuer: string;
  readonly keystore: Pick<Keystore, 'verificationKey' | 'openingKey'> & { reload(): Promise<void> };
  readonly clock: Clock;
}

interface Asked {
  readonly token: string;
  readonly digest: string;
}

type Judged = OwnToken | 'unknown_key' | undefined;

/** Tokens remembered at most; an API asks about the same one again and again. */
const CAPACITY = 10_000;
/** Sets of digests: of 262,144 genuine tokens (4 MB), and of 16,384 that were asked about (256 kB). */
const GENUINE_SETS = 2 ** 16;
const ASKED_SETS = 2 ** 12;
/** What a token of ours can be long: many scopes, a delegation and an RSA signature. Longer ones are not issued: nobody reads them. */
export const MAX_TOKEN_BYTES = 16_384;
/** Every other kind of JWT that is signed here has a `typ` of its own (RFC 8725 §3.11). */
const TYPES: ReadonlySet<unknown> = new Set(['at+jwt', 'JWT']);

/**
 * What is genuine is known by the token's digest, so that no token that works lies in memory for longer than its request; the key
 * is asked for each time, or a compromised one would go on being believed. What a JWT says is remembered from the second question
 * on: many are asked about once, and for those keeping it costs more than reading it.
 */
export function createOwnTokenReader(deps: OwnTokenDeps): OwnTokenReader {
  const known = new Map<string, OwnToken>();
  const headers = goodHeaders();
  /** From the first JWT on that is read here: most authorities are asked about none, since APIs verify alone. */
  let genuine: DigestSet | undefined;
  let askedAbout: DigestSet | undefined;
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

  function verify(token: string, digest: string): Judged {
    const jws = readCompactJws(token, readPayload, headers.known, MAX_TOKEN_BYTES);
    if (!jws.ok || !TYPES.has(jws.header.typ) || jws.header.kid === undefined) return undefined;
    const { kid } = jws.header;
    const key = deps.keystore.verificationKey(kid);
    if (key === undefined) return OWN_KID.test(kid) ? 'unknown_key' : undefined;
    if (genuine?.has(digest) !== true) {
      if (!verifyJws(jws, { kid, alg: key.alg, keyObject: key.publicKey })) return undefined;
      headers.remember(jws);
      genuine ??= createDigestSet(GENUINE_SETS);
      genuine.add(digest);
    }
    const { parsed, text } = jws.payload;
    if (!parsed.ok || parsed.claims.iss !== deps.issuer) return undefined;
    const stillTrusted = () => deps.keystore.verificationKey(kid) !== undefined;
    return { kid, claims: parsed.claims, payload: text, stillTrusted };
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

  const judge = ({ token, digest }: Asked): Judged =>
    token.startsWith(OPAQUE_TOKEN_PREFIX)
      ? open(token)
      : token.includes('.')
        ? verify(token, digest)
        : readCwt(token);
  const judgeInTurn = backToBack(judge);

  async function readAnew(asked: Asked): Promise<OwnToken | undefined> {
    const own = await judgeInTurn(asked);
    if (own === 'unknown_key') return judgeAnew(asked);
    return own === undefined ? undefined : remember(asked, own);
  }

  function remember({ token, digest }: Asked, own: OwnToken): OwnToken {
    if (token.includes('.') && !wasAskedAbout(digest)) return own;
    if (known.size >= CAPACITY) {
      const oldest = known.keys().next();
      if (oldest.done !== true) known.delete(oldest.value);
    }
    known.set(digest, own);
    return own;
  }

  function wasAskedAbout(digest: string): boolean {
    askedAbout ??= createDigestSet(ASKED_SETS);
    if (askedAbout.has(digest)) return true;
    askedAbout.add(digest);
    return false;
  }

  /** Another node may have made the key a moment ago, and signed with it. */
  async function judgeAnew(asked: Asked): Promise<OwnToken | undefined> {
    await refreshKeys();
    const own = judge(asked);
    return typeof own === 'object' ? remember(asked, own) : undefined;
  }

  return {
    read(token) {
      const digest = digestOf(token);
      const remembered = known.get(digest);
      if (remembered !== undefined) return remembered.stillTrusted() ? remembered : undefined;
      const asked = { token, digest };
      // Without a signature to verify there is nothing to gather.
      const own = genuine?.has(digest) === true ? judge(asked) : undefined;
      return typeof own === 'object' ? remember(asked, own) : readAnew(asked);
    },
    issued(token) {
      if (genuine !== undefined && token.includes('.')) genuine.add(digestOf(token));
    },
  };
}

function digestOf(token: string): string {
  return hash('sha256', token, 'binary');
}

/** Where it was decoded, for the next token's will be there. */
function readPayload(
  bytes: Uint8Array,
  length: number,
): { readonly parsed: AccessTokenClaimsResult; readonly text: string } {
  const text = asBuffer(bytes).toString('utf8', 0, length);
  return { parsed: parsePlainAccessTokenClaims(bytes, length), text };
}
