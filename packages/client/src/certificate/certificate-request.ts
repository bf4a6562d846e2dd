// What the renewal of a certificate and the claim of a device share: a new key, its request (RFC 2986), the exchange, the answer.
import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import {
  createCertificationRequest,
  parseIssuer,
  parseJsonObject,
  type ServerMetadata,
} from '@countersign/protocol';
import { DiscoveryError, discoverServer, FetchFailure, fetchBounded } from '@countersign/protocol/discovery';
import { ClientOptionError, TokenError, type TokenErrorCode } from '../errors.ts';

/** A certificate with the key that it is for. */
export interface HeldCertificate {
  /** PEM: the certificate, and those between it and the root. */
  readonly certificate: string;
  /** PEM (PKCS #8). */
  readonly key: string;
  /** PEM: what whoever checks certificates of this deployment trusts. */
  readonly root: string;
  /** RFC 3339. */
  readonly expiresAt: string;
  /** RFC 3339: when to ask for the next. */
  readonly renewAfter: string;
  readonly clientId: string;
  readonly spiffeId: string;
}

const generate = promisify(generateKeyPair);

/** A new key on P-256, PEM. */
export async function newKey(): Promise<string> {
  const { privateKey } = await generate('ec', { namedCurve: 'P-256' });
  return privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
}

/** @throws ClientOptionError */
export function requestFor(key: string): string {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(key);
  } catch {
    throw new ClientOptionError('bad_option', 'key', 'give a private key as PEM without a passphrase');
  }
  return createCertificationRequest(privateKey);
}

/** @throws ClientOptionError · TokenError */
export async function metadataOf(issuer: string, fetch: typeof globalThis.fetch): Promise<ServerMetadata> {
  const parsed = parseIssuer(issuer);
  if (parsed === undefined) throw new ClientOptionError('bad_option', 'issuer', 'give an https URL');
  try {
    return await discoverServer(parsed, { fetch });
  } catch (error) {
    throw asTokenError(error);
  }
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 65_536;

/** Sends a form to an endpoint that answers with a certificate. @throws TokenError */
export async function askCertificate(
  url: () => string,
  fetch: typeof globalThis.fetch,
  form: Readonly<Record<string, string>>,
  key: string,
): Promise<HeldCertificate> {
  try {
    const answer = await fetchBounded(url(), {
      fetch,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams(form).toString(),
    });
    const parsed = parseJsonObject(answer.body);
    const body: Readonly<Record<string, unknown>> = parsed.ok ? parsed.value : {};
    if (answer.status === 200) return heldOf(body, key);
    throw refusalOf(answer.status, answer.headers, body);
  } catch (error) {
    throw asTokenError(error);
  }
}

function heldOf(body: Readonly<Record<string, unknown>>, key: string): HeldCertificate {
  const text = (name: string): string => {
    const value = body[name];
    if (typeof value === 'string' && value !== '') return value;
    throw new TokenError('bad_response', `the answer has no ${name}`);
  };
  return {
    certificate: text('certificate'),
    key,
    root: text('root'),
    expiresAt: text('expires_at'),
    renewAfter: text('renew_after'),
    clientId: text('client_id'),
    spiffeId: text('spiffe_id'),
  };
}

function refusalOf(status: number, headers: Headers, body: Readonly<Record<string, unknown>>): TokenError {
  const error = typeof body['error'] === 'string' ? body['error'] : undefined;
  const told = typeof body['error_description'] === 'string' ? `: ${body['error_description']}` : '';
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN);
  const later = status === 429 || status >= 500;
  return new TokenError(later ? 'unavailable' : 'refused', `the authority answered ${status}${told}`, {
    error,
    status,
    requestId: headers.get('request-id') ?? undefined,
    ...(Number.isFinite(retryAfter) ? { retryAfter } : {}),
  });
}

function asTokenError(error: unknown): unknown {
  if (error instanceof DiscoveryError)
    return new TokenError('discovery_failed', error.message, { cause: error });
  if (!(error instanceof FetchFailure)) return error;
  const untrusted = error.code === 'untrusted_certificate' || error.code === 'bad_certificate';
  const code: TokenErrorCode = untrusted ? 'untrusted_certificate' : 'unreachable';
  return new TokenError(code, error.message, { cause: error });
}
