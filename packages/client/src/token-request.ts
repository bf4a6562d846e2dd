// One access token request: RFC 6749 §4.4.2, §5.1, §5.2; bound to a key: RFC 9449 §5, §8.
import {
  formatForm,
  isJsonObject,
  parseJsonObject,
  parseTokenResponse,
  receivedErrorCode,
} from '@countersign/protocol';
import {
  type BoundedResponse,
  DiscoveryError,
  FetchFailure,
  fetchBounded,
  isCertificateFailure,
} from '@countersign/protocol/discovery';
import { TokenError } from './errors.ts';
import { clientCredentials } from './grants/client-credentials.ts';
import { jwtBearer } from './grants/jwt-bearer.ts';
import { tokenExchange } from './grants/token-exchange.ts';
import type { KeyInUse, KeyRotation, RotatedKey } from './rotation/key-rotation.ts';
import { proveNewKey } from './rotation/new-key.ts';
import type { ClientSettings, Target } from './settings.ts';
import { retryAfterSeconds } from './retry.ts';
import { readSubjectToken } from './subject-token/source.ts';
import { findTokenEndpoint, type TokenEndpoint } from './token-endpoint.ts';

/** An access token with what is known of it. */
export interface AccessToken {
  readonly accessToken: string;
  /** `DPoP`: it is worth something only with a proof of the client's key beside it. */
  readonly tokenType: 'Bearer' | 'DPoP';
  /** What was granted, which may be less than what was asked for. */
  readonly scope: string;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/** What an authority says of a token (RFC 7662 §2.2): its claims, when it is active. */
export interface Introspection {
  readonly active: boolean;
  readonly [name: string]: unknown;
}

/** A key from which those of a resource server's clients are derived (RFC 9202 §3.3.1); `tag` and `k` are base64url. */
export interface DerivationKey {
  readonly kid: string;
  /** How the key ids begin that belong to it. */
  readonly tag: string;
  readonly k: string;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 262_144;
/** Seconds that a token is kept whose lifetime the authority does not say (RFC 6749 §5.1 only recommends it). */
const UNSTATED_LIFETIME = 60;

/** Asks for tokens; finds the endpoint once and keeps it. */
export class TokenRequester {
  readonly #settings: ClientSettings;
  #endpoint: Promise<TokenEndpoint> | undefined;

  constructor(settings: ClientSettings) {
    this.#settings = { ...settings, fetch: settings.authorityClock.watch(settings.fetch) };
  }

  /** One attempt. @throws TokenError */
  async request(target: Target, signal: AbortSignal): Promise<AccessToken> {
    try {
      const endpoint = await this.#find(signal);
      const asked = this.#settings.clock();
      let response = await this.#send(endpoint, target, signal);
      if (this.#wantsNonce(endpoint, response)) response = await this.#send(endpoint, target, signal);
      if (response.status === 404) this.#endpoint = undefined;
      if (response.status !== 200) throw refusalOf(response, asked);
      this.#settings.dpop?.learn(endpoint.url, response.headers);
      return readToken(response, target, asked, this.#settings.dpop === undefined ? 'Bearer' : 'DPoP');
    } catch (error) {
      throw asTokenError(error, this.#settings.issuer);
    }
  }

  #find(signal: AbortSignal): Promise<TokenEndpoint> {
    this.#endpoint ??= findTokenEndpoint(this.#settings, signal).catch((error: unknown) => {
      this.#endpoint = undefined;
      throw error;
    });
    return this.#endpoint;
  }

  /** RFC 9449 §8: asked for once more, with the nonce that the refusal brought. */
  #wantsNonce({ url }: TokenEndpoint, { status, headers, body }: BoundedResponse): boolean {
    const { dpop } = this.#settings;
    if (dpop === undefined || status !== 400 || !dpop.learn(url, headers)) return false;
    const parsed = parseJsonObject(body);
    return parsed.ok && receivedErrorCode(parsed.value) === 'use_dpop_nonce';
  }

  /** One attempt to learn of a token what the authority knows of it now (RFC 7662 §2). @throws TokenError */
  async introspect(token: string, hint: string | undefined, signal: AbortSignal): Promise<Introspection> {
    try {
      const endpoint = await this.#find(signal);
      const asked = this.#settings.clock();
      const url = endpoint.introspection();
      const question: [string, string][] = [['token', token]];
      if (hint !== undefined) question.push(['token_type_hint', hint]);
      const response = await this.#prove(endpoint, url, question, {}, signal);
      if (response.status === 404) this.#endpoint = undefined;
      if (response.status !== 200) throw refusalOf(response, asked);
      const parsed = parseJsonObject(response.body);
      const answer: { readonly [name: string]: unknown } = parsed.ok ? parsed.value : {};
      const active = Object.hasOwn(answer, 'active') ? answer['active'] : undefined;
      if (typeof active === 'boolean') return { ...answer, active };
      throw new TokenError('bad_response', 'the answer is not an introspection response', factsOf(response));
    } catch (error) {
      throw asTokenError(error, this.#settings.issuer);
    }
  }

  /** One attempt to learn the keys that a resource server shares with the authority. @throws TokenError */
  async derivationKeys(resource: string, signal: AbortSignal): Promise<readonly DerivationKey[]> {
    try {
      const endpoint = await this.#find(signal);
      const asked = this.#settings.clock();
      const form = [['resource', resource]] as const;
      const response = await this.#prove(endpoint, endpoint.derivationKeys(), form, {}, signal);
      if (response.status === 404) this.#endpoint = undefined;
      if (response.status !== 200) throw refusalOf(response, asked);
      const parsed = parseJsonObject(response.body);
      const keys: unknown = parsed.ok ? parsed.value['keys'] : undefined;
      if (Array.isArray(keys) && keys.every(isDerivationKey)) return keys;
      throw new TokenError('bad_response', 'the answer has no derivation keys', factsOf(response));
    } catch (error) {
      throw asTokenError(error, this.#settings.issuer);
    }
  }

  async #send(endpoint: TokenEndpoint, target: Target, signal: AbortSignal): Promise<BoundedResponse> {
    const { url } = endpoint;
    const grant = await this.#grant(target, signal);
    const bound = await this.#settings.dpop?.proof({ method: 'POST', url });
    return this.#prove(endpoint, url, grant, bound === undefined ? {} : { dpop: bound }, signal);
  }

  /** With the key that is in use now, where the client rotates its own; with the one before where it does not work (yet). */
  async #prove(
    endpoint: TokenEndpoint,
    url: string,
    form: Parameters<typeof formatForm>[0],
    headers: { readonly [name: string]: string },
    signal: AbortSignal,
  ): Promise<BoundedResponse> {
    const { rotation } = this.#settings;
    if (rotation === undefined) return this.#post(endpoint, url, form, headers, signal);
    const key = await rotation.key((present, next) => this.#register(present, next, signal));
    const response = await this.#post(endpoint, url, form, headers, signal, key);
    if (response.status === 401) {
      const other = await rotation.refused(key);
      return other === undefined ? response : this.#post(endpoint, url, form, headers, signal, other);
    }
    if (response.status === 200) await rotation.worked(key);
    return response;
  }

  /** Gives the client's key a successor now; the next request uses it. @throws TokenError, and what the store throws */
  rotate(rotation: KeyRotation, signal: AbortSignal): Promise<RotatedKey> {
    return rotation.rotate((present, next) => this.#register(present, next, signal));
  }

  async #register(present: KeyInUse, next: string, signal: AbortSignal): Promise<RotatedKey> {
    try {
      const endpoint = await this.#find(signal);
      const { clientId, issuer, authorityClock, clock } = this.#settings;
      const asked = clock();
      const { proof, thumbprint } = proveNewKey(next, { clientId, issuer, iat: authorityClock.now() });
      const response = await this.#post(endpoint, endpoint.keyRotation(), [['new_key', proof]], {}, signal, {
        ...present,
        newKey: thumbprint,
      });
      if (response.status !== 200) throw refusalOf(response, asked);
      return readRotated(response);
    } catch (error) {
      throw asTokenError(error, this.#settings.issuer);
    }
  }

  async #grant(target: Target, signal: AbortSignal): Promise<Parameters<typeof formatForm>[0]> {
    if (target.subjectToken !== undefined) return tokenExchange(target, target.subjectToken);
    const { subjectToken, issuer } = this.#settings;
    if (subjectToken === undefined) return clientCredentials(target);
    return jwtBearer(target, await readSubjectToken(subjectToken, { issuer, signal }));
  }

  async #post(
    { clientAuth }: TokenEndpoint,
    url: string,
    form: Parameters<typeof formatForm>[0],
    headers: { readonly [name: string]: string },
    signal: AbortSignal,
    key?: KeyInUse & { readonly newKey?: string },
  ): Promise<BoundedResponse> {
    const proof = await clientAuth.prove(key === undefined ? this.#settings : { ...this.#settings, ...key });
    return fetchBounded(url, {
      fetch: this.#settings.fetch,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
      signal,
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        'countersign-instance': this.#settings.instance,
        ...headers,
        ...proof.headers,
      },
      body: formatForm([...form, ...proof.form]),
    });
  }
}

/** `asked` is when the request left: counting from the answer would keep the token too long. */
function readToken(
  response: BoundedResponse,
  target: Target,
  asked: number,
  tokenType: AccessToken['tokenType'],
): AccessToken {
  const parsed = parseJsonObject(response.body);
  const token = parsed.ok ? parseTokenResponse(parsed.value) : undefined;
  const facts = factsOf(response);
  if (token === undefined) throw new TokenError('bad_response', 'the answer is not a token response', facts);
  // RFC 6749 §7.1, RFC 9449 §5: a token of another type must not be used, nor an unbound one where a bound one was wanted.
  if (token.token_type.toLowerCase() !== tokenType.toLowerCase()) {
    throw new TokenError('bad_response', `the token is not of the type ${tokenType}`, facts);
  }
  return {
    accessToken: token.access_token,
    tokenType,
    // RFC 6749 §5.1: left out means what was asked for.
    scope: token.scope ?? target.scope ?? '',
    expiresAt: asked + (token.expires_in ?? UNSTATED_LIFETIME),
  };
}

function readRotated(response: BoundedResponse): RotatedKey {
  const parsed = parseJsonObject(response.body);
  const answer: { readonly [name: string]: unknown } = parsed.ok ? parsed.value : {};
  const [credential, expiresAt, predecessorEndsAt] = [
    answer['credential'],
    answer['expires_at'],
    answer['predecessor_ends_at'],
  ];
  if (
    typeof credential === 'string' &&
    typeof expiresAt === 'string' &&
    typeof predecessorEndsAt === 'string'
  ) {
    return { credential, expiresAt, predecessorEndsAt };
  }
  throw new TokenError('bad_response', 'the answer says nothing of a new key', factsOf(response));
}

function refusalOf(response: BoundedResponse, now: number): TokenError {
  const { status } = response;
  const facts = factsOf(response);
  if (status === 429 || status >= 500) {
    const retryAfter = retryAfterSeconds(response.headers.get('retry-after'), now);
    return new TokenError('unavailable', `the authority answered ${status}`, { ...facts, retryAfter });
  }
  const parsed = parseJsonObject(response.body);
  const error = parsed.ok ? receivedErrorCode(parsed.value) : undefined;
  if (error === undefined) return new TokenError('bad_response', `the authority answered ${status}`, facts);
  const trace = facts.requestId === undefined ? '' : `; request ${facts.requestId}`;
  return new TokenError('refused', `the authority refused: ${error}${trace}`, { ...facts, error });
}

function factsOf(response: BoundedResponse): {
  readonly status: number;
  readonly requestId: string | undefined;
} {
  const requestId = response.headers.get('request-id') ?? '';
  return { status: response.status, requestId: /^[\w-]{1,64}$/.test(requestId) ? requestId : undefined };
}

function asTokenError(error: unknown, issuer: string): TokenError {
  if (error instanceof TokenError) return error;
  if (error instanceof FetchFailure) {
    if (error.code === 'too_large') return new TokenError('bad_response', error.message, { cause: error });
    const code = isCertificateFailure(error)
      ? 'untrusted_certificate'
      : error.code === 'aborted'
        ? 'aborted'
        : 'unreachable';
    return new TokenError(code, `${issuer}: ${error.message}`, { cause: error });
  }
  if (error instanceof DiscoveryError) {
    const code = error.code === 'unavailable' ? 'unavailable' : 'discovery_failed';
    return new TokenError(code, error.message, { cause: error });
  }
  return new TokenError('bad_response', `${issuer}: the token could not be had`, { cause: error });
}

function isDerivationKey(value: unknown): value is DerivationKey {
  if (!isJsonObject(value)) return false;
  const { kid, tag, k } = { __proto__: null, ...value } as { [name: string]: unknown };
  return typeof kid === 'string' && typeof tag === 'string' && typeof k === 'string';
}
