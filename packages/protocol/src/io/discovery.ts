// Finding an authority's endpoints: RFC 8414 §3, with the OpenID document as the second place (§5).
import { isLoopback, type Issuer, type ServerMetadata, wellKnownUrl } from '../server-metadata.ts';
import { isJsonObject, parseJsonObject } from '../strict-json.ts';
import { fetchBounded } from './bounded-fetch.ts';

export {
  type BoundedFetchOptions,
  type BoundedResponse,
  FetchFailure,
  type FetchFailureCode,
  fetchBounded,
  isCertificateFailure,
  WHOLE_EXCHANGE,
  type WholeExchange,
  wholeExchangeOf,
} from './bounded-fetch.ts';

export type DiscoveryFault =
  | 'unavailable'
  | 'not_found'
  | 'malformed'
  | 'issuer_mismatch'
  | 'unsafe_endpoint';

/** The authority answered, and not with metadata that may be used. */
export class DiscoveryError extends Error {
  readonly code: DiscoveryFault;

  constructor(code: DiscoveryFault, message: string) {
    super(message);
    this.name = 'DiscoveryError';
    this.code = code;
  }
}

export interface DiscoveryOptions {
  readonly fetch: typeof globalThis.fetch;
  /** For each of the two places. Default 5,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

const MAX_BYTES = 262_144;

/**
 * Fetches and checks the metadata of `issuer`.
 * @throws DiscoveryError · FetchFailure
 */
export async function discoverServer(issuer: Issuer, options: DiscoveryOptions): Promise<ServerMetadata> {
  for (const suffix of ['oauth-authorization-server', 'openid-configuration'] as const) {
    const url = wellKnownUrl(issuer, suffix);
    const response = await fetchBounded(url, {
      fetch: options.fetch,
      timeoutMs: options.timeoutMs ?? 5000,
      maxBytes: MAX_BYTES,
      signal: options.signal,
      headers: { accept: 'application/json' },
    });
    if (response.status === 404) continue;
    if (response.status !== 200) {
      const later = response.status === 429 || response.status >= 500;
      throw new DiscoveryError(later ? 'unavailable' : 'not_found', `${url} answered ${response.status}`);
    }
    const parsed = parseJsonObject(response.body);
    if (!parsed.ok) throw new DiscoveryError('malformed', `${url} is not metadata: ${parsed.fault}`);
    // RFC 8414 §3.3: identical to the issuer that was asked for, or it must not be used.
    if (parsed.value['issuer'] !== issuer) {
      throw new DiscoveryError('issuer_mismatch', `${url} is the metadata of another issuer than ${issuer}`);
    }
    return parsed.value as ServerMetadata;
  }
  throw new DiscoveryError('not_found', `${issuer} publishes no metadata`);
}

/**
 * The address of one endpoint in the metadata: https, or http on loopback for an issuer that is so itself.
 * @throws DiscoveryError
 */
export function endpointOf(
  metadata: ServerMetadata,
  name:
    | 'token_endpoint'
    | 'jwks_uri'
    | 'introspection_endpoint'
    | 'key_rotation_endpoint'
    | 'certificate_renewal_endpoint'
    | 'device_claim_endpoint'
    | 'derivation_keys_endpoint',
): string {
  return addressIn(metadata, name, metadata[name]);
}

/**
 * The same for a client that shows a certificate: where the authority asks for one, when that is elsewhere (RFC 8705 §5).
 * @throws DiscoveryError
 */
export function mtlsEndpointOf(
  metadata: ServerMetadata,
  name: 'token_endpoint' | 'introspection_endpoint' | 'certificate_renewal_endpoint',
): string {
  const aliases: unknown = metadata.mtls_endpoint_aliases;
  const alias: unknown = isJsonObject(aliases) && Object.hasOwn(aliases, name) ? aliases[name] : undefined;
  return alias === undefined ? endpointOf(metadata, name) : addressIn(metadata, name, alias);
}

function addressIn(metadata: ServerMetadata, name: string, value: unknown): string {
  if (typeof value !== 'string' || !URL.canParse(value)) {
    throw new DiscoveryError('malformed', `the metadata of ${metadata.issuer} has no ${name}`);
  }
  const { protocol, hostname } = new URL(value);
  const plainLoopback = protocol === 'http:' && isLoopback(hostname) && metadata.issuer.startsWith('http:');
  if (protocol !== 'https:' && !plainLoopback) {
    throw new DiscoveryError('unsafe_endpoint', `${name} of ${metadata.issuer} is not https`);
  }
  return value;
}
