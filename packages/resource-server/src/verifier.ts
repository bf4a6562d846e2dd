// Verifying an access token: RFC 9068 §4, RFC 8725 §3, RFC 6750 §3.1; its holder: RFC 9449 §7, RFC 8705 §3.
import type { AccessTokenClaims, TokenScheme } from '@countersign/protocol/portable';
import type { ApiKeys } from './api-keys.ts';
import { type Authority, type AuthenticToken, openAuthority } from './authority.ts';
import type { CutoffFeedState } from './cutoff-feed.ts';
import type { Finding } from './finding.ts';
import type { PublishedMetadata } from './metadata.ts';
import { createScopeReader, missingScope } from './needed-scope.ts';
import type { VerifierOptions } from './options.ts';
import { openParts } from './parts.ts';
import type { Platform } from './platform/platform.ts';
import type { RequestHeaders } from './presented-token.ts';
import type { Refusal, RefusalReason } from './refusal.ts';
import { createRefusals } from './refusals.ts';
import { readOptions } from './settings.ts';
import { openSignedTokens } from './signed-tokens.ts';
import { createStandingCheck } from './standing.ts';
import type { TokenRequest, VerifyResult } from './token-request.ts';
import type { OpenedRoute } from './usage/told-routes.ts';
import type { Watched, WatchOptions } from './watch.ts';

export interface Verifier {
  /** Checks one token. Never throws on bad input; throws only when `scope` is not a scope. */
  verify(token: string | undefined, request?: TokenRequest): Promise<VerifyResult>;
  /**
   * The same for a stream: its `signal` is aborted within a second of the token ending, being cut off, or losing what it
   * was accepted for, by the authority's word where that is asked.
   */
  watch(
    token: string | undefined,
    request?: TokenRequest,
    options?: WatchOptions,
  ): Promise<Watched | Refusal>;
  /** The refusal for a request in which no token could be found. */
  refuse(reason: RefusalReason, scheme?: TokenScheme): Refusal;
  /**
   * The certificate that a request came with, for `verify`: that of its connection, or what a proxy of `certificateHeader`
   * says. DER; undefined where there is none, or none that can be believed.
   */
  certificateOf(request: RequestHeaders): Uint8Array | undefined;
  /**
   * Resolves when keys and cut-offs of every issuer are known. Rejects with NotReadyError after 30 seconds without
   * them, at once when a certificate is not trusted or the issuer calls itself otherwise; it goes on trying, and may be called again.
   */
  ready(): Promise<void>;
  /** How well the cut-off feed of each issuer is followed, for metrics. */
  feeds(): readonly CutoffFeedState[];
  /** Ends the following of feeds and reports what was used last; later tokens are refused. */
  close(): Promise<void>;
  /** Notes that a scope opens a route, for `usage`: the router's template, never what a caller wrote. Guards do it. */
  opens(route: OpenedRoute): void;
  /** The option: guards call it. */
  readonly onRefusal?: VerifierOptions['onRefusal'];
  /** Whether an API key may stand in the place of a token. */
  readonly takesApiKeys: boolean;
  /** The RFC 9728 document and its address, when the option `metadata` was given. */
  readonly metadata: PublishedMetadata | undefined;
}

const NOTHING: TokenRequest = {};

type Found = AuthenticToken | Finding;

/** Whether a bearer credential is meant as an API key of ours: no token begins like that. */
function looksLikeApiKey(text: string): boolean {
  return text.startsWith('cak_');
}

/**
 * Makes a verifier for one API. Nothing is fetched before `ready` or the first `verify`.
 * @throws VerifierOptionError · JwksError for a given key set that cannot be used
 */
export function openVerifier(options: VerifierOptions, platform: Platform): Verifier {
  const settings = readOptions(options, platform);
  const { clock, senderConstraint } = settings;
  const stop = new AbortController();
  let closed = false;
  const authorities = new Map<string, Authority>(
    settings.issuers.map((issuer) => [issuer.issuer, openAuthority(issuer, settings, platform, stop.signal)]),
  );
  const everyAuthority = [...authorities.values()];
  const scopes = createScopeReader();
  const parts = openParts(everyAuthority, settings, platform, stop.signal);
  const { authenticate, isStillSigned } = openSignedTokens(authorities, platform, settings.remember);
  const checkStanding = createStandingCheck(settings, parts);
  const { refuse: refusalFor, refuseUnread } = createRefusals(settings, scopes);

  /** What was found wrong with a genuine token was an attempt at what it holds. */
  function refuse(finding: Finding, request: TokenRequest, claims?: AccessTokenClaims): Refusal {
    if (claims !== undefined) parts.loaded?.use?.count(claims, scopes.read(request.scope), false);
    return refusalFor(finding, request, claims);
  }

  /** What may have changed since the token was last seen. Waits only where somebody has to be asked. */
  async function verify(token: string | undefined, request: TokenRequest = NOTHING): Promise<VerifyResult> {
    const scope = scopes.read(request.scope);
    if (closed) return refuse({ reason: 'closed' }, request);
    if (token === undefined || token === '') return refuse({ reason: 'no_token' }, request);
    const { apiKeys, use } = parts.loaded ?? (await parts.load());
    // Whatever else it is, it is never turned into text: that would run the caller's code, or make a list a token.
    if (typeof token !== 'string') return refuse({ reason: 'malformed_token' }, request);
    if (apiKeys !== undefined && looksLikeApiKey(token)) {
      const exchanged = await apiKeys.exchange(token);
      return typeof exchanged === 'string' ? await verify(exchanged, request) : refuse(exchanged, request);
    }
    let now = clock();
    let verified = find(token, now);
    if (verified instanceof Promise) {
      verified = await verified;
      now = clock();
    }
    if ('reason' in verified) return refuse(verified, request);
    const { claims } = verified;
    const standing = checkStanding(token, verified, now);
    const fallen = standing instanceof Promise ? await standing : standing;
    if (fallen !== undefined) return withNonce(refuse(fallen, request, claims), claims);
    if (claims.cnf !== undefined || !mayBeUnbound(request)) {
      const unproven = await checkBinding(token, claims, request);
      if (unproven !== undefined) return withNonce(refuse(unproven, request, claims), claims);
    }
    const lacking = missingScope(claims, scope);
    if (lacking !== undefined) return withNonce(refuse(lacking, request, claims), claims);
    use?.count(claims, scope, true, now);
    const accepted = { ok: true, claims, scopes: claims.scope } as const;
    return claims.cnf === undefined ? accepted : withNonce(accepted, claims);
  }

  /** What has no dot is no JWT, and only the authority can say what it is. */
  function find(token: string, now: number): Found | Promise<Found> {
    const found = authenticate(token, now);
    const isOpaque = 'reason' in found && found.reason === 'malformed_token' && !token.includes('.');
    return isOpaque ? askAbout(token) : found;
  }

  async function askAbout(token: string): Promise<Found> {
    const answer = await parts.loaded?.introspection?.read(token, authorities);
    return answer ?? { reason: 'malformed_token', detail: 'not_a_jwt' };
  }

  /** Comes with the first token that is bound to a key or a certificate. */
  const openHolders = once(async () => {
    const { openHolders: open } = await import('./sender-constraint/binding.ts');
    return open(settings, platform);
  });

  /** Most requests: nothing to prove, and nothing that claims to be a proof. */
  function mayBeUnbound({ scheme, dpop: proof }: TokenRequest): boolean {
    return senderConstraint === 'none' && proof === undefined && scheme !== 'DPoP';
  }

  async function checkBinding(
    token: string,
    claims: AccessTokenClaims,
    request: TokenRequest,
  ): Promise<Finding | undefined> {
    const { dpop, method, url, scheme = dpop === undefined ? 'Bearer' : 'DPoP' } = request;
    const presentation = { token, scheme, dpop, method, url, certificate: () => request.certificate };
    return (await openHolders()).check(claims, presentation);
  }

  /** RFC 9449 §8.2: every answer to a token that is bound to a key has the nonce to use next. */
  async function withNonce<T extends VerifyResult>(result: T, { cnf }: AccessTokenClaims): Promise<T> {
    if (cnf?.jkt === undefined || settings.dpop.nonceKey === undefined) return result;
    return { ...result, headers: { ...result.headers, ...(await (await openHolders()).nonceHeaders()) } };
  }

  /** Streams are few, and most APIs have none: what watches them comes when the first one does. */
  const openWatches = once(async () => {
    const { createWatches } = await import('./watch.ts');
    return createWatches({
      verify,
      isApiKey: (token) => settings.apiKeys !== undefined && looksLikeApiKey(token),
      exchange: async (key) => (parts.loaded as { readonly apiKeys: ApiKeys }).apiKeys.exchange(key),
      find: (token) => find(token, clock()),
      isStillSigned,
      checkStanding: (token, verified) => checkStanding(token, verified, clock()),
      // The end of a stream is nobody's attempt.
      refuse: refusalFor,
      clock,
      parts,
      authorities: everyAuthority,
      closed: stop.signal,
    });
  });

  return {
    verify,
    watch: async (token, request = NOTHING, options) => (await openWatches()).watch(token, request, options),
    certificateOf: settings.callerCertificate,
    refuse: refuseUnread,
    onRefusal: settings.onRefusal,
    async ready() {
      await parts.load();
      const { waitUntilReady } = await import('./readiness.ts');
      await waitUntilReady(everyAuthority, stop.signal);
    },
    feeds: () => everyAuthority.filter(followsCutoffs).map(feedState),
    async close() {
      closed = true;
      stop.abort();
      await parts.close();
    },
    opens: parts.opens,
    takesApiKeys: settings.apiKeys !== undefined,
    metadata: settings.metadata,
  };
}

/** What is opened when it is first needed. */
function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => (opened ??= open());
}

function followsCutoffs({ settings }: Authority): boolean {
  return settings.followCutoffs;
}

/** Before the first token nothing is known, and nobody was asked. */
function feedState({ settings: { issuer }, cutoffs }: Authority): CutoffFeedState {
  return cutoffs?.state() ?? { issuer, stale: true, age: undefined, cursor: undefined, alarms: 0 };
}
