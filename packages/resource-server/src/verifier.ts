// Verifying an access token: RFC 9068 §4, RFC 8725 §3, RFC 6750 §3.1; its holder: RFC 9449 §7, RFC 8705 §3.
import {
  type AccessTokenClaims,
  type JwsHeader,
  type ParsedJws,
  parseAccessTokenClaims,
  parseCompactJws,
  type TokenScheme,
} from '@countersign/protocol/portable';
import { type Authority, type AuthenticToken, checkClaims, findSigner, openAuthority } from './authority.ts';
import type { CutoffFeedState, CutoffFollower } from './cutoff-feed.ts';
import type { ApiKeys } from './api-keys.ts';
import type { Finding } from './finding.ts';
import type { PublishedMetadata } from './metadata.ts';
import type { VerifierOptions } from './options.ts';
import { loadParts, type Parts } from './parts.ts';
import type { Platform } from './platform/platform.ts';
import type { RequestHeaders } from './presented-token.ts';
import type { Holders } from './sender-constraint/binding.ts';
import { readOptions } from './settings.ts';
import type { TokenRequest, VerifyResult } from './token-request.ts';
import { type Refusal, type RefusalReason, refusal } from './refusal.ts';
import { createScopeReader, missingScope } from './needed-scope.ts';
import type { OpenedRoute } from './usage/told-routes.ts';
import { type VerifiedToken, VerifiedTokens } from './verified-tokens.ts';
import type { Watched, Watches, WatchOptions } from './watch.ts';

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
   * them, at once when a certificate is not trusted; it goes on trying, and may be called again.
   */
  ready(): Promise<void>;
  /** How well the cut-off feed of each issuer is followed, for metrics. */
  feeds(): readonly CutoffFeedState[];
  /** Ends the following of feeds and reports what was used last; later tokens are refused. */
  close(): Promise<void>;
  /** Notes that a scope opens a route, for `usage`: the router's template, never what a caller wrote. Guards do it. */
  opens(route: OpenedRoute): void;
  /** Whether an API key may stand in the place of a token. */
  readonly takesApiKeys: boolean;
  /** The RFC 9728 document and its address, when the option `metadata` was given. */
  readonly metadata: PublishedMetadata | undefined;
}

/** Headers of good tokens that are remembered: one for each key, and a few for issuers that write them differently. */
const MAX_HEADERS = 64;
/** As many as are told of. */
const MAX_ROUTES = 1000;
const NOTHING: TokenRequest = {};

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
  const stop = new AbortController();
  const authorities = new Map<string, Authority>(
    settings.issuers.map((issuer) => [issuer.issuer, openAuthority(issuer, settings, platform, stop.signal)]),
  );
  const { clock } = settings;
  const resourceMetadata = settings.metadata?.url;
  const headers = new Map<string, JwsHeader>();
  const tokens = new VerifiedTokens(settings.remember);
  const scopes = createScopeReader();
  let parts: Parts | undefined;
  let loading: Promise<Parts> | undefined;

  /** Once; again only when something was not there to fetch. */
  function start(): Promise<Parts> {
    loading ??= loadParts([...authorities.values()], settings, platform, stop.signal).then(
      (loaded) => {
        parts = loaded;
        if (stop.signal.aborted) closeFeeds();
        for (const { cutoffs } of authorities.values()) cutoffs?.start();
        for (const route of earlyRoutes.splice(0)) loaded.use?.opens(route);
        loaded.use?.start();
        return loaded;
      },
      (error: unknown) => {
        loading = undefined;
        throw error;
      },
    );
    return loading;
  }

  /** Routers tell of routes before the first token. */
  const earlyRoutes: OpenedRoute[] = [];
  function opens(route: OpenedRoute): void {
    if (parts !== undefined) parts.use?.opens(route);
    else if (settings.usage !== undefined && earlyRoutes.length < MAX_ROUTES) earlyRoutes.push(route);
  }

  function closeFeeds(): void {
    for (const { cutoffs } of authorities.values()) cutoffs?.close();
  }

  /** Comes with the first token that is bound to a key or a certificate. */
  let holders: Promise<Holders> | undefined;
  function openHolders(): Promise<Holders> {
    holders ??= import('./sender-constraint/binding.ts').then(({ openHolders: open }) =>
      open(settings, platform),
    );
    return holders;
  }

  /** RFC 9449 §7.2: where both are taken, the one that was tried, or that the token is for. */
  function schemesFor(scheme: TokenScheme | undefined, claims?: AccessTokenClaims): readonly TokenScheme[] {
    if (settings.senderConstraint === 'mtls') return ['Bearer'];
    const { jkt, 'x5t#S256': thumbprint } = claims?.cnf ?? {};
    if (jkt !== undefined) return ['DPoP'];
    if (settings.senderConstraint !== 'none') return [thumbprint === undefined ? 'DPoP' : 'Bearer'];
    return [scheme ?? 'Bearer'];
  }

  function refuse(finding: Finding, request: TokenRequest, claims?: AccessTokenClaims): Refusal {
    if (claims !== undefined) parts?.use?.count(claims, scopes.read(request.scope), false);
    return refusalFor(finding, request, claims);
  }

  function refusalFor(
    { reason, detail }: Finding,
    { scope, dpop: proof, scheme = proof === undefined ? 'Bearer' : 'DPoP' }: TokenRequest,
    claims?: AccessTokenClaims,
  ): Refusal {
    return refusal(reason, {
      resourceMetadata,
      scope: scopes.read(scope),
      detail,
      schemes: schemesFor(scheme, claims),
    });
  }

  /** Whether the key that signed is still its issuer's. */
  function isStillSigned({ claims, signer }: AuthenticToken, now: number): boolean {
    if (signer === undefined) return false;
    return authorities.get(claims.iss)?.keys.known(signer.kid, signer.alg, now) === signer;
  }

  /** Everything that does not change any more: form, signature, and that the key is still its issuer's. */
  function authenticate(
    token: string,
    now: number,
  ): VerifiedToken | Finding | Promise<VerifiedToken | Finding> {
    const known = tokens.get(token);
    if (known !== undefined) {
      if (isStillSigned(known, now)) return known;
      tokens.forget(token);
    }
    const jws = parseCompactJws(token, undefined, headers);
    if (!jws.ok) return { reason: 'malformed_token', detail: jws.fault };
    const parsed = parseAccessTokenClaims(jws.payload);
    if (!parsed.ok) return { reason: 'bad_claims', detail: parsed.fault };
    // The issuer's name is not yet proven; it only says whose keys must prove it.
    const authority = authorities.get(parsed.claims.iss);
    if (authority === undefined) return { reason: 'wrong_issuer' };
    const signer = findSigner(jws, authority, platform);
    const keep = (found: Awaited<typeof signer>): VerifiedToken | Finding => {
      if ('reason' in found) return found;
      const verified = {
        header: jws.header,
        claims: parsed.claims,
        signer: found,
        isOurs: false,
        clearedBy: undefined,
      };
      tokens.add(token, verified);
      rememberHeader(jws);
      return verified;
    };
    return signer instanceof Promise ? signer.then(keep) : keep(signer);
  }

  function rememberHeader({ header, headerPart }: ParsedJws): void {
    // It is frozen when it is remembered, and what is remembered is what comes.
    if (Object.isFrozen(header) || headers.size >= MAX_HEADERS) return;
    headers.set(headerPart, Object.freeze(header));
  }

  async function askAbout(token: string): Promise<AuthenticToken | Finding> {
    const answer = await parts?.introspection?.read(token, authorities);
    return answer ?? { reason: 'malformed_token', detail: 'not_a_jwt' };
  }

  /** What may have changed since the token was last seen. Waits only where somebody has to be asked. */
  async function verify(token: string | undefined, request: TokenRequest = NOTHING): Promise<VerifyResult> {
    const scope = scopes.read(request.scope);
    if (stop.signal.aborted) return refuse({ reason: 'closed' }, request);
    if (token === undefined || token === '') return refuse({ reason: 'no_token' }, request);
    const { apiKeys, use } = parts ?? (await start());
    // Whatever else it is, it is never turned into text: that would run the caller's code, or make a list a token.
    if (typeof token !== 'string') return refuse({ reason: 'malformed_token' }, request);
    if (apiKeys !== undefined && looksLikeApiKey(token)) {
      const exchanged = await apiKeys.exchange(token);
      return typeof exchanged === 'string' ? await verify(exchanged, request) : refuse(exchanged, request);
    }
    const found = find(token);
    const verified = found instanceof Promise ? await found : found;
    if ('reason' in verified) return refuse(verified, request);
    const { claims } = verified;
    const standing = checkStanding(token, verified);
    const fallen = standing instanceof Promise ? await standing : standing;
    if (fallen !== undefined) return withNonce(refuse(fallen, request, claims), claims);
    if (claims.cnf !== undefined || !mayBeUnbound(request)) {
      const unproven = await checkBinding(token, claims, request);
      if (unproven !== undefined) return withNonce(refuse(unproven, request, claims), claims);
    }
    const lacking = missingScope(claims, scope);
    if (lacking !== undefined) return withNonce(refuse(lacking, request, claims), claims);
    use?.count(claims, scope, true);
    const accepted = { ok: true, claims, scopes: claims.scope } as const;
    return claims.cnf === undefined ? accepted : withNonce(accepted, claims);
  }

  /** What has no dot is no JWT, and only the authority can say what it is. */
  function find(token: string): ReturnType<typeof authenticate> | ReturnType<typeof askAbout> {
    return token.includes('.') ? authenticate(token, clock()) : askAbout(token);
  }

  /** RFC 9449 §8.2: every answer to a token that is bound to a key has the nonce to use next. */
  async function withNonce<T extends VerifyResult>(result: T, { cnf }: AccessTokenClaims): Promise<T> {
    if (cnf?.jkt === undefined || settings.dpop.nonceKey === undefined) return result;
    return { ...result, headers: { ...result.headers, ...(await (await openHolders()).nonceHeaders()) } };
  }

  /** What time and orders may have done to a token since. */
  function checkStanding(
    token: string,
    verified: AuthenticToken,
  ): Finding | undefined | Promise<Finding | undefined> {
    const authority = authorities.get(verified.claims.iss) as Authority;
    const outdated = checkClaims(verified, authority, settings, clock());
    if (outdated !== undefined) return outdated;
    if (!authority.settings.followCutoffs) return undefined;
    const cutoffs = authority.cutoffs as CutoffFollower;
    if (!cutoffs.hasTried) return cutoffs.tried().then(() => checkStanding(token, verified));
    const { checkCutoffs, introspection } = parts as CutoffParts;
    return checkCutoffs(token, verified, cutoffs, settings, introspection, clock());
  }

  /** Streams are few, and most APIs have none: what watches them comes when the first one does. */
  let watches: Promise<Watches> | undefined;
  function openWatches(): Promise<Watches> {
    const steps = {
      verify,
      isApiKey: (token: string) => settings.apiKeys !== undefined && looksLikeApiKey(token),
      exchange: async (key: string) => (parts as { readonly apiKeys: ApiKeys }).apiKeys.exchange(key),
      find,
      isStillSigned,
      checkStanding,
      // The end of a stream is nobody's attempt.
      refuse: refusalFor,
      clock,
      closed: stop.signal,
    };
    watches ??= import('./watch.ts').then(({ createWatches }) => createWatches(steps));
    return watches;
  }

  /** Most requests: nothing to prove, and nothing that claims to be a proof. */
  function mayBeUnbound({ scheme, dpop: proof }: TokenRequest): boolean {
    return settings.senderConstraint === 'none' && proof === undefined && scheme !== 'DPoP';
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

  return {
    verify,
    watch: async (token, request = NOTHING, options) => (await openWatches()).watch(token, request, options),
    certificateOf: settings.callerCertificate,
    refuse: (reason, scheme) => refusal(reason, { resourceMetadata, schemes: schemesFor(scheme) }),
    async ready() {
      await start();
      const { waitUntilReady } = await import('./readiness.ts');
      await waitUntilReady([...authorities.values()], stop.signal);
    },
    feeds: () => [...authorities.values()].filter(followsCutoffs).map(feedState),
    async close() {
      stop.abort();
      closeFeeds();
      await parts?.use?.close();
    },
    opens,
    takesApiKeys: settings.apiKeys !== undefined,
    metadata: settings.metadata,
  };
}

/** What is there where an issuer has a feed. */
type CutoffParts = Parts & { readonly checkCutoffs: NonNullable<Parts['checkCutoffs']> };

function followsCutoffs({ settings }: Authority): boolean {
  return settings.followCutoffs;
}

/** Before the first token nothing is known, and nobody was asked. */
function feedState({ settings: { issuer }, cutoffs }: Authority): CutoffFeedState {
  return cutoffs?.state() ?? { issuer, stale: true, age: undefined, cursor: undefined, alarms: 0 };
}
