// Verifying an access token: RFC 9068 §4, RFC 8725 §3, RFC 6750 §3.1; its holder: RFC 9449 §7, RFC 8705 §3.
import {
  type AccessTokenClaims,
  type TokenScheme,
  checkAccessToken,
  isJwsAlgorithm,
  type ParsedJws,
  parseAccessTokenClaims,
  parseCompactJws,
  parseScope,
  type ScopeToken,
  type VerificationKey,
  verifyJws,
} from '@countersign/protocol';
import { ApiKeys, looksLikeApiKey } from './api-keys.ts';
import { CutoffFollower } from './cutoff-feed.ts';
import type { Finding } from './finding.ts';
import { Introspection } from './introspection.ts';
import { Jwks } from './jwks.ts';
import type { PublishedMetadata } from './metadata.ts';
import type { VerifierOptions } from './options.ts';
import type { RequestHeaders } from './presented-token.ts';
import { checkBinding } from './sender-constraint/binding.ts';
import { createDpopCheck } from './sender-constraint/dpop.ts';
import { type IssuerSettings, readOptions, type VerifierSettings } from './settings.ts';
import { type Refusal, type RefusalReason, refusal } from './refusal.ts';
import { waitUntilReady } from './readiness.ts';

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
  /** Ends the following of feeds; later tokens are refused. */
  close(): Promise<void>;
  /** Whether an API key may stand in the place of a token. */
  readonly takesApiKeys: boolean;
  /** The RFC 9728 document and its address, when the option `metadata` was given. */
  readonly metadata: PublishedMetadata | undefined;
}

interface Authority {
  readonly settings: IssuerSettings;
  readonly keys: Jwks;
  readonly cutoffs: CutoffFollower | undefined;
}

/** A token that is the authority's, by its signature or by its word. */
interface KnownToken {
  readonly claims: AccessTokenClaims;
  readonly authority: Authority;
  readonly header: ParsedJws['header'];
  /** Undefined where the authority was asked. */
  readonly signer: VerificationKey | undefined;
}

/** An opaque token has no header; the authority speaks of access tokens only (RFC 7662 §2.2). */
const OPAQUE_HEADER: ParsedJws['header'] = { alg: 'none', typ: 'at+jwt' };

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
  const resourceMetadata = settings.metadata?.url;
  const introspection =
    settings.introspect === undefined
      ? undefined
      : new Introspection({ client: settings.introspect, clock: settings.clock });
  const dpop = createDpopCheck(settings.dpop, settings.clock);
  const apiKeys = settings.apiKeys && new ApiKeys(settings.apiKeys, { ...settings, signal: stop.signal });

  function start(): void {
    for (const { cutoffs } of authorities.values()) cutoffs?.start();
  }

  /** RFC 9449 §7.2: where both are taken, the one that was tried, or that the token is for. */
  function schemesFor(scheme: TokenScheme | undefined, claims?: AccessTokenClaims): readonly TokenScheme[] {
    if (settings.senderConstraint === 'mtls') return ['Bearer'];
    const { jkt, 'x5t#S256': thumbprint } = claims?.cnf ?? {};
    if (jkt !== undefined) return ['DPoP'];
    if (settings.senderConstraint !== 'none') return [thumbprint === undefined ? 'DPoP' : 'Bearer'];
    return [scheme ?? 'Bearer'];
  }

  async function readSigned(token: string): Promise<KnownToken | Finding> {
    const jws = parseCompactJws(token);
    if (!jws.ok) return { reason: 'malformed_token', detail: jws.fault };
    const parsed = parseAccessTokenClaims(jws.payload);
    if (!parsed.ok) return { reason: 'bad_claims', detail: parsed.fault };
    const { claims } = parsed;
    // The issuer's name is not yet proven; it only says whose keys must prove it.
    const authority = authorities.get(claims.iss);
    if (authority === undefined) return { reason: 'wrong_issuer' };
    const signer = await findSigner(jws, authority);
    return 'reason' in signer ? signer : { claims, authority, header: jws.header, signer };
  }

  async function askAbout(token: string): Promise<KnownToken | Finding> {
    if (introspection === undefined) return { reason: 'malformed_token', detail: 'not_a_jwt' };
    const answer = await introspection.ask(token);
    if ('reason' in answer) return answer;
    const authority = authorities.get(answer.claims.iss);
    if (authority === undefined) return { reason: 'wrong_issuer' };
    return { claims: answer.claims, authority, header: OPAQUE_HEADER, signer: undefined };
  }

  async function verify(token: string | undefined, request: TokenRequest = {}): Promise<VerifyResult> {
    const scope = neededScope(request.scope);
    const { dpop: proof, method, url, scheme = proof === undefined ? 'Bearer' : 'DPoP' } = request;
    const refuse = ({ reason, detail }: Finding, claims?: AccessTokenClaims): Refusal =>
      refusal(reason, {
        resourceMetadata,
        scope,
        detail,
        schemes: schemesFor(scheme, claims),
        nonce: claims?.cnf?.jkt === undefined ? undefined : dpop.nonceHeaders(),
      });
    if (stop.signal.aborted) return refuse({ reason: 'closed' });
    if (token === undefined || token === '') return refuse({ reason: 'no_token' });
    start();
    // Whatever else it is, it is never turned into text: that would run the caller's code, or make a list a token.
    if (typeof token !== 'string') return refuse({ reason: 'malformed_token' });
    if (apiKeys !== undefined && looksLikeApiKey(token)) {
      const exchanged = await apiKeys.exchange(token);
      return typeof exchanged === 'string' ? await verify(exchanged, request) : refuse(exchanged);
    }
    // What has no dot is no JWT, and only the authority can say what it is.
    const read = token.includes('.') ? readSigned(token) : askAbout(token);
    const known = await read;
    if ('reason' in known) return refuse(known);
    const { claims } = known;
    const finding =
      checkClaims(known, settings) ??
      (await checkCutoffs(known, settings, (maxAge) => introspection?.ask(token, maxAge))) ??
      (await checkBinding(
        claims,
        { token, scheme, dpop: proof, method, url, certificate: () => request.certificate },
        settings.senderConstraint,
        dpop,
      )) ??
      checkScope(claims, scope);
    if (finding !== undefined) return refuse(finding, claims);
    const headers = claims.cnf?.jkt === undefined ? undefined : dpop.nonceHeaders();
    return { ok: true, claims, scopes: claims.scope, ...(headers === undefined ? undefined : { headers }) };
  }

  return {
    verify,
    certificateOf: settings.callerCertificate,
    refuse: (reason, scheme) => refusal(reason, { resourceMetadata, schemes: schemesFor(scheme) }),
    async ready() {
      start();
      await waitUntilReady([...authorities.values()], stop.signal);
    },
    async close() {
      stop.abort();
      for (const { cutoffs } of authorities.values()) cutoffs?.close();
    },
    takesApiKeys: apiKeys !== undefined,
    metadata: settings.metadata,
  };
}

function openAuthority(issuer: IssuerSettings, settings: VerifierSettings, signal: AbortSignal): Authority {
  const { fetch, clock, leeway, staleAfter } = settings;
  const keys = new Jwks(issuer, { fetch, clock, signal });
  const cutoffs = issuer.followCutoffs
    ? new CutoffFollower({
        issuer: issuer.issuer,
        keys,
        fetch,
        clock,
        leeway,
        staleAfter,
        random: Math.random,
      })
    : undefined;
  return { settings: issuer, keys, cutoffs };
}

/** RFC 8725 §3.1: the algorithm must be allowed, and be the one that the key is pinned to. */
async function findSigner(jws: ParsedJws, { settings, keys }: Authority): Promise<VerificationKey | Finding> {
  const { alg, kid } = jws.header;
  if (!isJwsAlgorithm(alg) || !settings.algorithms.has(alg)) return { reason: 'algorithm_not_allowed' };
  const key = await keys.find(kid, alg);
  if (key === 'unknown') return { reason: 'unknown_key' };
  if (key === 'unavailable') return { reason: 'keys_unavailable' };
  return verifyJws(jws, key) ? key : { reason: 'bad_signature' };
}

/** RFC 9068 §4. */
function checkClaims(
  { claims, header, authority }: KnownToken,
  { clock, leeway, audience }: VerifierSettings,
): Finding | undefined {
  const { issuer, allowPlainJwt } = authority.settings;
  const reason = checkAccessToken({
    claims,
    header,
    now: clock(),
    issuer,
    audience,
    leeway,
    allowPlainJwt,
  });
  return reason === undefined ? undefined : { reason };
}

async function checkCutoffs(
  { claims, signer, authority: { cutoffs } }: KnownToken,
  { clock, onStale, staleAfter }: VerifierSettings,
  ask: (maxAge: number) => ReturnType<Introspection['ask']> | undefined,
): Promise<Finding | undefined> {
  if (cutoffs === undefined) return undefined;
  await cutoffs.tried();
  const kind = cutoffs.cutOffBy(claims, signer?.kid);
  if (kind !== undefined) return { reason: 'cut_off', detail: kind };
  if (!cutoffs.isStale()) return undefined;
  if (signer === undefined || onStale === 'introspect') {
    // The authority's word is as good as its feed while it is as young.
    const answer = await ask(staleAfter);
    if (answer !== undefined && 'claims' in answer) return undefined;
    return answer?.reason === 'not_active' ? answer : { reason: 'cutoffs_stale' };
  }
  if (onStale !== 'refuse' && clock() - claims.iat < onStale.acceptYoungerThan) return undefined;
  return { reason: 'cutoffs_stale' };
}

function checkScope(claims: AccessTokenClaims, needed: readonly ScopeToken[]): Finding | undefined {
  return needed.every((token) => claims.scope.includes(token)) ? undefined : { reason: 'insufficient_scope' };
}

/** A scope that cannot be one is a mistake in the API's own code, so it is loud. */
function neededScope(scope: TokenRequest['scope']): readonly ScopeToken[] {
  if (scope === undefined || scope.length === 0) return [];
  const tokens = parseScope(typeof scope === 'string' ? scope : scope.join(' '));
  if (tokens === undefined) throw new TypeError('scope: not a scope (RFC 6749 §3.3)');
  return tokens;
}
