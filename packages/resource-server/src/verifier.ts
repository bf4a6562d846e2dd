// Verifying an access token: RFC 9068 §4, RFC 8725 §3, RFC 6750 §3.1; its holder: RFC 9449 §7, RFC 8705 §3.
import {
  type AccessTokenClaims,
  type JwsHeader,
  parseAccessTokenClaims,
  parseCompactJws,
  parseScope,
  type ScopeToken,
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
import { type Refusal, type RefusalReason, refusal } from './refusal.ts';
import { waitUntilReady } from './readiness.ts';
import type { OpenedRoute } from './usage/told-routes.ts';
import { useOf } from './usage/use.ts';
import { type VerifiedToken, VerifiedTokens } from './verified-tokens.ts';

/** The request that a token came with. `scope`: what it needs, all of it, as a scope string or a list. */
export interface TokenRequest {
  readonly scope?: string | readonly string[];
  /** How the token came: the scheme of the Authorization header. Default: `DPoP` where a proof came with it. */
  readonly scheme?: TokenScheme;
  /** The request's method, as it was sent. Proofs of possession are for one. */
  readonly method?: string;
  /**
   * Where the request went: the whole URL as its sender sees it, or the path, which is read below `publicUrl`. Never make
   * it of a `Host` header.
   */
  readonly url?: string;
  /** The `DPoP` header (RFC 9449 §4). */
  readonly dpop?: string | undefined;
  /** DER of the certificate that the caller showed in its TLS handshake (RFC 8705 §3). Read only for a token bound to one. */
  readonly certificate?: Uint8Array | undefined;
}

export interface Verified {
  readonly ok: true;
  readonly claims: AccessTokenClaims;
  readonly scopes: readonly string[];
  /** To be sent with the response; there when proofs need nonces and this is a bound token. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type VerifyResult = Verified | Refusal;

export interface Verifier {
  /** Checks one token. Never throws on bad input; throws only when `scope` is not a scope. */
  verify(token: string | undefined, request?: TokenRequest): Promise<VerifyResult>;
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

  function refuse(
    { reason, detail }: Finding,
    { scope, dpop: proof, scheme = proof === undefined ? 'Bearer' : 'DPoP' }: TokenRequest,
    claims?: AccessTokenClaims,
  ): Refusal {
    if (claims !== undefined) use?.count(claims, scopes.read(scope), false);
    return refusal(reason, {
      resourceMetadata,
      scope: scopes.read(scope),
      detail,
      schemes: schemesFor(scheme, claims),
      nonce: claims?.cnf?.jkt === undefined ? undefined : dpop.nonceHeaders(),
    });
  }

  /** Everything that does not change any more: form, signature, and that the key is still its issuer's. */
  function authenticate(
    token: string,
    now: number,
  ): VerifiedToken | Finding | Promise<VerifiedToken | Finding> {
    const known = tokens.get(token);
    if (known !== undefined) {
      const { kid, alg } = known.signer;
      if (authorities.get(known.claims.iss)?.keys.known(kid, alg, now) === known.signer) return known;
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
    if (apiKeys !== undefined && looksLikeApiKey(token)) {
      const exchanged = await apiKeys.exchange(token);
      return typeof exchanged === 'string' ? await verify(exchanged, request) : refuse(exchanged, request);
    }
    // What has no dot is no JWT, and only the authority can say what it is.
    const authenticated = token.includes('.') ? authenticate(token, clock()) : askAbout(token);
    const verified = authenticated instanceof Promise ? await authenticated : authenticated;
    if ('reason' in verified) return refuse(verified, request);
    const { claims } = verified;
    // Read again: somebody may have had to be asked.
    const now = clock();
    const authority = authorities.get(claims.iss) as Authority;
    const outdated = checkClaims(verified, authority, settings, now);
    if (outdated !== undefined) return refuse(outdated, request, claims);
    const { cutoffs } = authority;
    if (cutoffs !== undefined) {
      if (!cutoffs.hasTried) await cutoffs.tried();
      const cut = checkCutoffs(token, verified, cutoffs, settings, introspection, clock());
      const finding = cut instanceof Promise ? await cut : cut;
      if (finding !== undefined) return refuse(finding, request, claims);
    }
    if (claims.cnf !== undefined || !mayBeUnbound(request)) {
      const binding = bindingOf(token, claims, request);
      const unproven = binding instanceof Promise ? await binding : binding;
      if (unproven !== undefined) return refuse(unproven, request, claims);
    }
    for (const needed of scope) {
      if (!claims.scope.includes(needed)) return refuse({ reason: 'insufficient_scope' }, request, claims);
    }
    use?.count(claims, scope, true);
    const nonce = claims.cnf?.jkt === undefined ? undefined : dpop.nonceHeaders();
    if (nonce === undefined) return { ok: true, claims, scopes: claims.scope };
    return { ok: true, claims, scopes: claims.scope, headers: nonce };
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
    opens: (route) => use?.opens(route),
    takesApiKeys: apiKeys !== undefined,
    metadata: settings.metadata,
  };
}

/** Reads scopes that routes need, which are always the same few. */
function createScopeReader(): { read(scope: TokenRequest['scope']): readonly ScopeToken[] } {
  const known = new Map<string, readonly ScopeToken[]>();
  return {
    read(scope) {
      if (scope === undefined || scope.length === 0) return NO_SCOPE;
      if (typeof scope !== 'string') return neededScope(scope.join(' '));
      const before = known.get(scope);
      if (before !== undefined) return before;
      const read = neededScope(scope);
      if (known.size < MAX_SCOPES) known.set(scope, read);
      return read;
    },
  };
}

const NO_SCOPE: readonly ScopeToken[] = [];
const MAX_SCOPES = 1000;

/** A scope that cannot be one is a mistake in the API's own code, so it is loud. */
function neededScope(scope: string): readonly ScopeToken[] {
  const tokens = parseScope(scope);
  if (tokens === undefined) throw new TypeError('scope: not a scope (RFC 6749 §3.3)');
  return tokens;
}
