// One page of a signed cut-off feed: a JWT kind of its own (RFC 8725 §3.11), believed only when all of this holds.
import {
  type CutoffFeed,
  type CutoffIndex,
  isKeyCutOff,
  MAX_CUTOFF_FEED_BYTES,
  parseCutoffFeed,
} from '@countersign/protocol/cutoff-feed';
import {
  decodeUtf8,
  type Issuer,
  isJwsAlgorithm,
  JWT_TYP,
  parseCompactJws,
} from '@countersign/protocol/portable';
import { FeedError } from './cutoff-alarm.ts';
import type { Jwks } from './jwks.ts';
import type { Platform } from './platform/platform.ts';

/** The feed is ours to ask, so a page with a new key may look for it sooner than a stranger's token may. */
const OWN_COOLDOWN = 1;
/** Seconds a page may be good for. The authority says 60. */
const LONGEST_LIFETIME = 120;
/** A JWS is a third larger than its payload. */
export const MAX_PAGE_BYTES: number = Math.ceil(MAX_CUTOFF_FEED_BYTES * 1.4);

export interface PageExpectation {
  readonly issuer: Issuer;
  readonly keys: Pick<Jwks, 'find'>;
  readonly platform: Pick<Platform, 'verify'>;
  /** Epoch seconds. */
  readonly clock: () => number;
  readonly leeway: number;
  /** Orders that are known already. */
  readonly index: CutoffIndex;
  /** The cursor that was asked for. */
  readonly after: number;
  /** When it was asked for, epoch seconds. */
  readonly askedAt: number;
}

/** @throws FeedError */
export async function readPage(body: Uint8Array, expected: PageExpectation): Promise<CutoffFeed> {
  const { issuer, keys, platform, clock, leeway } = expected;
  const jws = parseCompactJws(decodeUtf8(body)?.trim() ?? '', MAX_PAGE_BYTES);
  if (!jws.ok) throw new FeedError('not_a_jws', jws.fault);
  const typ = jws.header.typ?.toLowerCase();
  if (typ !== JWT_TYP.cutoffs && typ !== `application/${JWT_TYP.cutoffs}`)
    throw new FeedError('wrong_typ', 'typ');
  if (!isJwsAlgorithm(jws.header.alg)) throw new FeedError('algorithm_not_allowed', 'alg');
  const key = await keys.find(jws.header.kid, jws.header.alg, OWN_COOLDOWN);
  if (typeof key === 'string') throw new FeedError('unknown_key', `its key is ${key}`);
  if (!(await platform.verify(jws, key))) throw new FeedError('bad_signature', 'its signature is wrong');
  const parsed = parseCutoffFeed(jws.payload);
  if (!parsed.ok) throw new FeedError('bad_claims', parsed.fault);
  const { feed } = parsed;
  if (feed.iss !== issuer) throw new FeedError('wrong_issuer', 'it is from another issuer');
  const now = clock();
  // What is from the future would still be shown when it is the past.
  if (feed.iat > now + leeway) throw new FeedError('bad_claims', 'it is from the future');
  if (feed.exp - feed.iat > LONGEST_LIFETIME) throw new FeedError('bad_claims', 'it is good for too long');
  if (now >= feed.exp + leeway) throw new FeedError('expired', 'it has expired');
  // The authority signs when it answers: what is older than the question is somebody's copy.
  if (feed.iat < expected.askedAt - leeway - 1)
    throw new FeedError('replayed', 'it is older than the question, or the clocks differ');
  // Whoever stole a key that was cut off must not be able to say that it was not.
  if (isKeyCutOff(expected.index, key.kid)) throw new FeedError('key_cut_off', 'its key was cut off');
  if (feed.from !== expected.after) throw new FeedError('wrong_cursor', 'it answers another cursor');
  return feed;
}
