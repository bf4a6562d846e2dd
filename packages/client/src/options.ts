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
import { createDpopProver, type DpopKey, type DpopProver } from './dpop.ts';
import { ClientOptionError } from './errors.ts';

export interface ClientOptions {
  /** The authority; its endpoints are found through its metadata. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Default: `client_secret_basic`, or what the authority offers instead. */
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
  /** Not there yet. */
  readonly privateKey?: undefined;
  /** Not there yet. */
  readonly certificate?: undefined;
  /** Not there yet. */
  readonly subjectToken?: undefined;
}

export interface ClientSettings {
  readonly issuer: Issuer;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly clientAuthMethod: 'client_secret_basic' | 'client_secret_post' | undefined;
  readonly target: Target;
  /** Undefined: bearer tokens. */
  readonly dpop: DpopProver | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: () => number;
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
}

/** @throws ClientOptionError */
export function readOptions(options: ClientOptions): ClientSettings {
  for (const name of ['privateKey', 'certificate', 'subjectToken'] as const) {
    if (options[name] !== undefined) {
      throw new ClientOptionError('not_supported_yet', name, 'only clientSecret is there for now');
    }
  }
  for (const name of ['issuer', 'clientId', 'clientSecret'] as const) {
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
  if (parseClientId(options.clientId) === undefined) {
    throw new ClientOptionError('bad_option', 'clientId', 'takes A-Z a-z 0-9 _ - and at most 128 of them');
  }
  // RFC 6749 appendix A.2. The value is not repeated: it would end up in a log.
  if (!/^[\x20-\x7e]+$/.test(options.clientSecret)) {
    throw new ClientOptionError(
      'bad_option',
      'clientSecret',
      'has characters that no secret has; a line end perhaps',
    );
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
  return {
    issuer,
    clientId: options.clientId,
    clientSecret: options.clientSecret,
    clientAuthMethod: options.clientAuthMethod,
    target: readTarget(options),
    dpop: options.dpop === undefined ? undefined : createDpopProver(options.dpop, clock),
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    clock,
    fraction: () => Buffer.from(random(4)).readUInt32BE() / 2 ** 32,
    instance: encodeBase64url(random(16)),
    allowPlainHttp: options.allowPlainHttp === true,
  };
}

/** @throws ClientOptionError */
export function readTarget(target: {
  readonly resource?: string | undefined;
  readonly scope?: string | undefined;
}): Target {
  const { resource, scope } = target;
  if (resource !== undefined && parseResourceIndicator(resource) === undefined) {
    throw new ClientOptionError('bad_option', 'resource', 'give an absolute URI without fragment');
  }
  if (scope === undefined) return { resource, scope };
  const tokens = parseScope(scope);
  if (tokens === undefined)
    throw new ClientOptionError('bad_option', 'scope', 'give scope tokens, one space apart');
  // One order, so that the same scopes in another order are the same token.
  return { resource, scope: formatScope([...tokens].sort()) };
}

function systemClock(): number {
  return Math.floor(Date.now() / 1000);
}
