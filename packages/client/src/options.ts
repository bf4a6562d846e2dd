// What createClient takes, read once: RFC 6749 §2.3.1, RFC 8414 §2 (issuer), RFC 8707 §2 (resource).
import { randomBytes } from 'node:crypto';
import {
  encodeBase64url,
  formatScope,
  type Issuer,
  parseClientId,
  parseIssuer,
  parseResourceIndicator,
  parseScope,
} from '@countersign/protocol';
import { fetchShowing, type ShownCertificate } from '@countersign/protocol/fetch-trusting';
import { type AuthorityClock, createAuthorityClock } from './authority-clock.ts';
import { createDpopProver, type DpopKey, type DpopProver } from './dpop.ts';
import { ClientOptionError } from './errors.ts';
import { isSubjectToken, type SubjectTokenSource } from './subject-token/source.ts';
import { type PrivateKey, type Signer, signerOf } from './signing-key.ts';

export interface ClientOptions {
  /** The authority; its endpoints are found through its metadata. */
  readonly issuer: string;
  /** May be left out with a `subjectToken`, which says it by itself. */
  readonly clientId?: string | undefined;
  /** Either this, `privateKey`, a `subjectToken`, or a `certificate` alone. */
  readonly clientSecret?: string | undefined;
  /**
   * Either this or `clientSecret`: the client signs an assertion for each token request (private_key_jwt), and the key never
   * leaves it. P-256, P-384, Ed25519, or RSA from 2048 bits, which signs PS256 unless a JWK's `alg` says otherwise.
   */
  readonly privateKey?: PrivateKey | undefined;
  /**
   * Shown to the authority and to every API over TLS (RFC 8705). Alone it proves who the client is; beside a secret or a
   * private key it is what tokens are bound to. It brings a `fetch` of its own: `ca` takes the place of `fetchTrusting`.
   */
  readonly certificate?: ShownCertificate | undefined;
  /** `kid` of `privateKey`. Default: what its JWK says, or none. */
  readonly keyId?: string | undefined;
  /** Of a secret. Default: `client_secret_basic`, or what the authority offers instead. */
  readonly clientAuthMethod?: 'client_secret_basic' | 'client_secret_post';
  /** The API to call, when `token` names none. Without one, the authority takes the only one there is. */
  readonly resource?: string;
  /** The scopes to ask for, when `token` names none. Without any, everything held. */
  readonly scope?: string;
  /**
   * Binds tokens to a key and proves it in every call (RFC 9449): `true` makes a key for this client, which then dies with
   * it. Default: bearer tokens.
   */
  readonly dpop?: true | DpopKey | undefined;
  /** Default: the global fetch. `fetchTrusting(ca)` for an authority with its own certificate authority. */
  readonly fetch?: typeof globalThis.fetch;
  /** Epoch seconds. Default: the machine's clock. */
  readonly clock?: () => number;
  /** Random bytes, for the boot id and to spread refreshes. Default: the platform's. */
  readonly random?: (bytes: number) => Uint8Array;
  /** Lets `fetch` send tokens over plain http beyond loopback, where something below encrypts. Default false. */
  readonly allowPlainHttp?: boolean;
  /**
   * The token of a trusted issuer that this workload comes with, in the place of a secret (RFC 7523 §2.1): text, or a source
   * that is asked for each token request (`githubActionsToken()`, `kubernetesToken()`, `subjectTokenFile(path)`, your own).
   * All of its tokens must speak of one workload: what is issued for them is kept per resource and scope.
   */
  readonly subjectToken?: string | SubjectTokenSource | undefined;
}

export interface ClientSettings {
  readonly issuer: Issuer;
  /** Empty where the subject token says it. */
  readonly clientId: string;
  /** Empty where there is a key or a certificate instead. */
  readonly clientSecret: string;
  readonly signer: Signer | undefined;
  readonly keyId: string | undefined;
  readonly showsCertificate: boolean;
  /** Undefined: the client proves itself. */
  readonly subjectToken: SubjectTokenSource | undefined;
  readonly clientAuthMethod: 'client_secret_basic' | 'client_secret_post' | undefined;
  readonly target: Target;
  /** Undefined: bearer tokens. */
  readonly dpop: DpopProver | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: () => number;
  /** What proofs are dated with. */
  readonly authorityClock: AuthorityClock;
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly fraction: () => number;
  /** Sent as `Countersign-Instance`: tells one running copy of an identity from another. */
  readonly instance: string;
  readonly allowPlainHttp: boolean;
}

/** What a token is asked for. */
export interface Target {
  readonly resource: string | undefined;
  readonly scope: string | undefined;
  /** In whose name: the token to be exchanged. */
  readonly subjectToken?: string | undefined;
}

/** @throws ClientOptionError */
export function readOptions(options: ClientOptions): ClientSettings {
  const { clientId = '', subjectToken } = options;
  for (const name of ['issuer', 'clientId'] as const) {
    if (name === 'clientId' && subjectToken !== undefined && options.clientId === undefined) continue;
    if (typeof options[name] !== 'string' || options[name] === '') {
      throw new ClientOptionError('missing_option', name, 'give it as text');
    }
  }
  const issuer = parseIssuer(options.issuer);
  if (issuer === undefined) {
    throw new ClientOptionError(
      'bad_option',
      'issuer',
      'give an https URL (http only on loopback), without query',
    );
  }
  if (options.clientId !== undefined && parseClientId(clientId) === undefined) {
    throw new ClientOptionError('bad_option', 'clientId', 'takes A-Z a-z 0-9 _ - and at most 128 of them');
  }
  const method: unknown = options.clientAuthMethod;
  if (method !== undefined && method !== 'client_secret_basic' && method !== 'client_secret_post') {
    throw new ClientOptionError(
      'bad_option',
      'clientAuthMethod',
      'is client_secret_basic or client_secret_post',
    );
  }
  const random = options.random ?? randomBytes;
  const clock = options.clock ?? systemClock;
  const authorityClock = createAuthorityClock(clock);
  return {
    issuer,
    clientId,
    ...(subjectToken === undefined
      ? { ...readProof(options), subjectToken }
      : { ...NO_PROOF, subjectToken: readSource(subjectToken, options) }),
    clientAuthMethod: options.clientAuthMethod,
    target: readTarget({ resource: options.resource, scope: options.scope }),
    dpop: options.dpop === undefined ? undefined : createDpopProver(options.dpop, authorityClock.now),
    ...readFetch(options),
    clock,
    authorityClock,
    fraction: () => Buffer.from(random(4)).readUInt32BE() / 2 ** 32,
    instance: encodeBase64url(random(16)),
    allowPlainHttp: options.allowPlainHttp === true,
  };
}

function readFetch({
  certificate,
  fetch,
}: ClientOptions): Pick<ClientSettings, 'fetch' | 'showsCertificate'> {
  if (certificate === undefined) {
    return { fetch: fetch ?? ((input, init) => globalThis.fetch(input, init)), showsCertificate: false };
  }
  if (fetch !== undefined) {
    const fix = 'brings a fetch of its own: give certificate.ca instead of fetchTrusting';
    throw new ClientOptionError('bad_option', 'certificate', fix);
  }
  try {
    return { fetch: fetchShowing(certificate), showsCertificate: true };
  } catch {
    throw new ClientOptionError(
      'bad_option',
      'certificate',
      'give {cert, key} as PEM text that belong together',
    );
  }
}

const NO_PROOF = { clientSecret: '', signer: undefined, keyId: undefined };

/** The value is not repeated in errors: it would end up in a log. */
function readSource(subjectToken: unknown, options: ClientOptions): SubjectTokenSource {
  for (const name of ['clientSecret', 'privateKey', 'keyId', 'clientAuthMethod'] as const) {
    if (options[name] === undefined) continue;
    throw new ClientOptionError('bad_option', 'subjectToken', `takes the place of ${name}: give one of them`);
  }
  // RFC 8705 §2: beside a certificate the client_id asks for a proof by that certificate.
  if (options.clientId !== undefined && options.certificate !== undefined) {
    throw new ClientOptionError('bad_option', 'clientId', 'leave it out beside subjectToken and certificate');
  }
  if (typeof subjectToken === 'function') return subjectToken as SubjectTokenSource;
  if (typeof subjectToken === 'string' && isSubjectToken(subjectToken.trim())) return () => subjectToken;
  throw new ClientOptionError('bad_option', 'subjectToken', 'give the token as text, or a function for it');
}

/** Values are not repeated in errors: they would end up in a log. */
function readProof({
  clientSecret,
  privateKey,
  keyId,
  clientAuthMethod,
  certificate,
}: ClientOptions): Pick<ClientSettings, 'clientSecret' | 'signer' | 'keyId'> {
  if (privateKey === undefined && clientSecret === undefined && certificate !== undefined) {
    if (clientAuthMethod !== undefined) {
      throw new ClientOptionError('bad_option', 'clientAuthMethod', 'is for a clientSecret');
    }
    return NO_PROOF;
  }
  if (privateKey === undefined) {
    if (typeof clientSecret !== 'string' || clientSecret === '') {
      throw new ClientOptionError(
        'missing_option',
        'clientSecret',
        'give it as text, or a privateKey or certificate',
      );
    }
    // RFC 6749 appendix A.2.
    if (!/^[\x20-\x7e]+$/.test(clientSecret)) {
      throw new ClientOptionError(
        'bad_option',
        'clientSecret',
        'has characters that no secret has; a line end perhaps',
      );
    }
    return { clientSecret, signer: undefined, keyId: undefined };
  }
  if (clientSecret !== undefined || clientAuthMethod !== undefined) {
    throw new ClientOptionError(
      'bad_option',
      'privateKey',
      'takes the place of clientSecret: give one of them',
    );
  }
  const signer = signerOf(privateKey);
  if (signer === undefined) {
    throw new ClientOptionError(
      'bad_option',
      'privateKey',
      'give a private key for P-256, P-384, Ed25519 or RSA from 2048 bits, as KeyObject, CryptoKey, JWK or PEM',
    );
  }
  if (keyId !== undefined && (typeof keyId !== 'string' || keyId === '')) {
    throw new ClientOptionError('bad_option', 'keyId', 'give it as text');
  }
  return { clientSecret: '', signer, keyId };
}

/** @throws ClientOptionError */
export function readTarget(target: {
  readonly resource?: string | undefined;
  readonly scope?: string | undefined;
  readonly subjectToken?: string | undefined;
}): Target {
  const { resource, scope, subjectToken } = target;
  // The value is not repeated: it would end up in a log.
  if (subjectToken !== undefined && !isSubjectToken(subjectToken)) {
    throw new ClientOptionError('bad_option', 'subjectToken', 'give the token as it came');
  }
  if (resource !== undefined && parseResourceIndicator(resource) === undefined) {
    throw new ClientOptionError('bad_option', 'resource', 'give an absolute URI without fragment');
  }
  if (scope === undefined) return { resource, scope, subjectToken };
  const tokens = parseScope(scope);
  if (tokens === undefined)
    throw new ClientOptionError('bad_option', 'scope', 'give scope tokens, one space apart');
  // One order, so that the same scopes in another order are the same token.
  return { resource, scope: formatScope([...tokens].sort()), subjectToken };
}

function systemClock(): number {
  return Math.floor(Date.now() / 1000);
}
