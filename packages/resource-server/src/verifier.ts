// Verifying an access token: RFC 9068 §4, RFC 8725 §3, RFC 6750 §3.1; its holder: RFC 9449 §7, RFC 8705 §3.
import {
  type AccessTokenClaims,
  type JwsHeader,
  parseAccessTokenClaims,
  parseCompactJws,
  type TokenScheme,
} from '@countersign/protocol';
import {
  type Authority,
  type AuthenticToken,
  checkClaims,
  checkCutoffs,
  findSigner,
  openAuthority,
} from './authority.ts';
import type { CutoffFeedState } from './cutoff-feed.ts';
import { ApiKeys, looksLikeApiKey } from './api-keys.ts';
import type { Finding } from './finding.ts';
import { Introspection } from './introspection.ts';
import type { PublishedMetadata } from './metadata.ts';
import type { VerifierOptions } from './options.ts';
import type { RequestHeaders } from './presented-token.ts';
import { checkBinding } from './sender-constraint/binding.ts';
import { createDpopCheck } from './sender-constraint/dpop.ts';
import { readOptions } from './settings.ts';
import type { TokenRequest, VerifyResult } from './token-request.ts';
import { type Refusal, type RefusalReason, refusal } from './refusal.ts';
import { waitUntilReady } from './readiness.ts';
import { createScopeReader, missingScope } from './needed-scope.ts';
import { useOf } from './usage/use.ts';
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
  /** Whether an API key may stand in the place of a token. */
  readonly takesApiKeys: boolean;
  /** The RFC 9728 document and its address, when the option `metadata` was given. */
  readonly metadata: PublishedMetadata | undefined;
}

/** Headers of good tokens that are remembered: one for each key, and a few for issuers that write them differently. */
const MAX_HEADERS = 64;
const NOTHING: TokenRequest = {};
/** An opaque token has no header; the authority speaks of access tokens only (RFC 7662 §2.2). */
const OPAQUE_HEADER: JwsHeader = { alg: 'none', typ: 'at+jwt' };

/**
 * Makes a verifier for one API. Nothing is fetched before `ready` or the first `verify`.
 * @throws VerifierOptionError · JwksError for a given key set that cannot be used
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const settings = readOptions(options);
  const stop = new AbortController();
  const authorities = new Map<string, Authority>(
    settings.issuers.map((issuer) => [issuer.issuer, openAuthority(issuer, settings, stop.signal)]),
  );
  const { clock } = settings;
  const resourceMetadata = settings.metadata?.url;
  const introspection =
    settings.introspect === undefined
      ? undefined
      : new Introspection({ client: settings.introspect, clock: settings.clock });
  const dpop = createDpopCheck(settings.dpop, settings.clock);
  const headers = new Map<string, JwsHeader>();
  const tokens = new VerifiedTokens(settings.remember);
  const scopes = createScopeReader();
  const use = useOf(settings);
  let started = false;
  const apiKeys = settings.apiKeys && new ApiKeys(settings.apiKeys, { ...settings, signal: stop.signal });

  function start(): void {
    if (started) return;
    started = true;
    for (const { cutoffs } of authorities.values()) cutoffs?.start();
    use?.start();
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
    if (claims !== undefined) use?.count(claims, scopes.read(request.scope), false);
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
      nonce: claims?.cnf?.jkt === undefined ? undefined : dpop.nonceHeaders(),
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
    const signer = findSigner(jws, authority);
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
      if (headers.size < MAX_HEADERS) headers.set(jws.headerPart, Object.freeze(jws.header));
      return verified;
    };
    return signer instanceof Promise ? signer.then(keep) : keep(signer);
  }

  async function askAbout(token: string): Promise<AuthenticToken | Finding> {
    if (introspection === undefined) return { reason: 'malformed_token', detail: 'not_a_jwt' };
    const answer = await introspection.ask(token);
    if ('reason' in answer) return answer;
    if (!authorities.has(answer.claims.iss)) return { reason: 'wrong_issuer' };
    return {
      claims: answer.claims,
      header: OPAQUE_HEADER,
      signer: undefined,
      isOurs: false,
      clearedBy: undefined,
    };
  }

  /** What may have changed since the token was last seen. Waits only where somebody has to be asked. */
  async function verify(token: string | undefined, request: TokenRequest = NOTHING): Promise<VerifyResult> {
    const scope = scopes.read(request.scope);
    if (stop.signal.aborted) return refuse({ reason: 'closed' }, request);
    if (token === undefined || token === '') return refuse({ reason: 'no_token' }, request);
    start();
    // Whatever else it is, it is never turned into text: that would run the caller's code, or make a list a token.
    if (typeof token !== 'string') return refuse({ reason: 'malformed_token' }, request);
    if (apiKeys !== undefined && isApiKey(token)) {
      const exchanged = await apiKeys.exchange(token);
      return typeof exchanged === 'string' ? await verify(exchanged, request) : refuse(exchanged, request);
    }
    // What has no dot is no JWT, and only the authority can say what it is.
    const authenticated = token.includes('.') ? authenticate(token, clock()) : askAbout(token);
    const verified = authenticated instanceof Promise ? await authenticated : authenticated;
    if ('reason' in verified) return refuse(verified, request);
    const { claims } = verified;
    const standing = checkStanding(token, verified);
    const fallen = standing instanceof Promise ? await standing : standing;
    if (fallen !== undefined) return refuse(fallen, request, claims);
    if (claims.cnf !== undefined || !mayBeUnbound(request)) {
      const binding = bindingOf(token, claims, request);
      const unproven = binding instanceof Promise ? await binding : binding;
      if (unproven !== undefined) return refuse(unproven, request, claims);
    }
    const lacking = missingScope(claims, scope);
    if (lacking !== undefined) return refuse(lacking, request, claims);
    use?.count(claims, scope, true);
    const nonce = claims.cnf?.jkt === undefined ? undefined : dpop.nonceHeaders();
    if (nonce === undefined) return { ok: true, claims, scopes: claims.scope };
    return { ok: true, claims, scopes: claims.scope, headers: nonce };
  }

  /** What time and orders may have done to a token since. */
  function checkStanding(
    token: string,
    verified: AuthenticToken,
  ): Finding | undefined | Promise<Finding | undefined> {
    const authority = authorities.get(verified.claims.iss) as Authority;
    const outdated = checkClaims(verified, authority, settings, clock());
    if (outdated !== undefined) return outdated;
    const { cutoffs } = authority;
    if (cutoffs === undefined) return undefined;
    if (!cutoffs.hasTried) return cutoffs.tried().then(() => checkStanding(token, verified));
    return checkCutoffs(token, verified, cutoffs, settings, introspection, clock());
  }

  function isApiKey(token: string): boolean {
    return apiKeys !== undefined && looksLikeApiKey(token);
  }

  /** Streams are few, and most APIs have none: what watches them comes when the first one does. */
  let watches: Promise<Watches> | undefined;
  function openWatches(): Promise<Watches> {
    const exchange = (key: string): Promise<string | Finding> => (apiKeys as ApiKeys).exchange(key);
    const find = (token: string): ReturnType<typeof authenticate> | ReturnType<typeof askAbout> =>
      token.includes('.') ? authenticate(token, clock()) : askAbout(token);
    const steps = {
      verify,
      isApiKey,
      exchange,
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

  function bindingOf(
    token: string,
    claims: AccessTokenClaims,
    request: TokenRequest,
  ): ReturnType<typeof checkBinding> {
    const { dpop: proof, method, url, scheme = proof === undefined ? 'Bearer' : 'DPoP' } = request;
    const presentation = { token, scheme, dpop: proof, method, url, certificate: () => request.certificate };
    return checkBinding(claims, presentation, settings.senderConstraint, dpop);
  }

  return {
    verify,
    watch: async (token, request = NOTHING, options) => (await openWatches()).watch(token, request, options),
    certificateOf: settings.callerCertificate,
    refuse: (reason, scheme) => refusal(reason, { resourceMetadata, schemes: schemesFor(scheme) }),
    async ready() {
      start();
      await waitUntilReady([...authorities.values()], stop.signal);
    },
    feeds: () => [...authorities.values()].flatMap(({ cutoffs }) => (cutoffs ? [cutoffs.state()] : [])),
    async close() {
      stop.abort();
      for (const { cutoffs } of authorities.values()) cutoffs?.close();
      await use?.close();
    },
    takesApiKeys: apiKeys !== undefined,
    metadata: settings.metadata,
  };
}
