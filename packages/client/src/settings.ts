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
import { fetchShowing } from '@countersign/protocol/fetch-trusting';
import { type AuthorityClock, createAuthorityClock } from './authority-clock.ts';
import { createDpopProver, type DpopProver } from './dpop.ts';
import { ClientOptionError } from './errors.ts';
import type { ClientOptions } from './options.ts';
import { KeyRotation } from './rotation/key-rotation.ts';
import { type ProofSettings, readProof } from './proof-settings.ts';
import { isSubjectToken } from './subject-token/source.ts';

export interface ClientSettings extends ProofSettings {
  readonly issuer: Issuer;
  /** Empty where the subject token says it. */
  readonly clientId: string;
  /** Undefined: its key stays as it is. */
  readonly rotation: KeyRotation | undefined;
  readonly showsCertificate: boolean;
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
  const proof = readProof(options);
  return {
    issuer,
    clientId,
    ...proof,
    rotation: readRotation(options, proof, clock),
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

function readRotation(
  { rotate }: ClientOptions,
  { signer, keyId }: ProofSettings,
  clock: () => number,
): KeyRotation | undefined {
  if (rotate === undefined) return undefined;
  if (signer === undefined) {
    throw new ClientOptionError(
      'bad_option',
      'rotate',
      'is for a privateKey: nothing else can replace itself',
    );
  }
  const { store, every = LEAST_EVERY } = rotate;
  if (typeof store?.read !== 'function' || !(every >= LEAST_EVERY)) {
    throw new ClientOptionError(
      'bad_option',
      'rotate',
      'give {store: keyFile(path), every: seconds, at least 60}',
    );
  }
  return new KeyRotation({ options: rotate, first: { signer, keyId }, clock });
}

/** Seconds. */
const LEAST_EVERY = 60;

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
