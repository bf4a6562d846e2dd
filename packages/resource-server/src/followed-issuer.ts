// An issuer's keys and cut-offs for tokens that are no JWTs: RFC 8414 §3, RFC 7517 §5, the cut-off feed.
import type { CutoffSubject } from '@countersign/protocol/cutoff-feed';
import type { JwsAlgorithm, PublicJwk } from '@countersign/protocol/portable';
import { openAuthority } from './authority.ts';
import type { CutoffFeedState } from './cutoff-feed.ts';
import { follow } from './cutoffs.ts';
import type { VerifierOptions } from './options.ts';
import { nodePlatform } from './platform/node.ts';
import { waitUntilReady } from './readiness.ts';
import { readOptions } from './settings.ts';

export type FollowedKey = PublicJwk;

/** What is to be followed: as for `createVerifier`, of one issuer. */
export type FollowedIssuerOptions = Pick<
  VerifierOptions,
  'audience' | 'clock' | 'leeway' | 'cutoffs' | 'fetch' | 'jwks'
> & {
  readonly issuer: string;
};

export interface FollowedIssuer {
  readonly issuer: string;
  /** Resolves when keys and cut-offs are known. Rejects `NotReadyError`, as `ready` of a verifier does. */
  ready(): Promise<void>;
  /** The public key that signs under `kid`. The same key is the same object for as long as it is published. */
  findKey(kid: string, alg: JwsAlgorithm): Promise<FollowedKey | 'unknown' | 'unavailable'>;
  /**
   * What has become of a token: an order ends it, or nobody knows any more (and `onStale` does not take it all the same).
   * `kids`: of every key that it hangs on.
   */
  fallen(token: CutoffSubject, kids: readonly string[]): 'cut_off' | 'cutoffs_stale' | undefined;
  /** The orders that are known: another object whenever there are others. */
  readonly orders: object | undefined;
  /** How well the feed is followed; undefined with `cutoffs: false`. */
  feed(): CutoffFeedState | undefined;
  close(): void;
}

/** Nothing is fetched before `ready`. @throws VerifierOptionError; `onStale: 'introspect'` is one, for nobody reads such tokens. */
export function followIssuer(options: FollowedIssuerOptions): FollowedIssuer {
  const { issuer, audience, clock, leeway, cutoffs, fetch, jwks } = options;
  const given = { clock, leeway, cutoffs, fetch, jwks };
  const whole = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const settings = readOptions({ issuer, audience, ...whole }, nodePlatform);
  const [issuerSettings] = settings.issuers;
  if (issuerSettings === undefined) throw new TypeError('issuer: give one');
  const stop = new AbortController();
  const authority = openAuthority(issuerSettings, settings, nodePlatform, stop.signal);
  follow(authority, settings, nodePlatform);
  const { onStale } = settings;

  return {
    issuer: issuerSettings.issuer,
    async ready() {
      authority.cutoffs?.start();
      await waitUntilReady([authority], stop.signal);
    },
    findKey: (kid, alg) => authority.keys.find(kid, alg),
    fallen(token, kids) {
      const follower = authority.cutoffs;
      if (follower === undefined) return undefined;
      for (const kid of kids.length === 0 ? [undefined] : kids) {
        const order = follower.cutOffBy(token as Parameters<typeof follower.cutOffBy>[0], kid);
        if (order !== undefined) return 'cut_off';
      }
      if (!follower.isStale()) return undefined;
      const age = settings.clock() - token.iat;
      return typeof onStale === 'object' && age < onStale.acceptYoungerThan ? undefined : 'cutoffs_stale';
    },
    get orders() {
      return authority.cutoffs?.index;
    },
    feed: () => authority.cutoffs?.state(),
    close() {
      stop.abort();
      authority.cutoffs?.close();
    },
  };
}
