// Fetching the keys of an issuer: RFC 7517 §5, found through RFC 8414 §3.
import { discoverServer, endpointOf, fetchBounded } from '@countersign/protocol/discovery';
import { JwksError, MAX_JWKS_BYTES } from './jwks-error.ts';
import type { IssuerSettings } from './issuer-settings.ts';

export interface JwksSource {
  readonly fetch: typeof globalThis.fetch;
  /** Default 5,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** @throws JwksError · DiscoveryError · FetchFailure */
export async function fetchJwks(issuer: IssuerSettings, source: JwksSource): Promise<Uint8Array> {
  const { fetch, signal, timeoutMs = 5000 } = source;
  const url = await addressOf(issuer, source);
  const response = await fetchBounded(url, {
    fetch,
    timeoutMs,
    maxBytes: MAX_JWKS_BYTES,
    signal,
    headers: { accept: 'application/jwk-set+json, application/json' },
  });
  if (response.status !== 200) throw new JwksError(`${url} answered ${response.status}`);
  return response.body;
}

async function addressOf(
  { issuer, jwks }: IssuerSettings,
  { fetch, signal, timeoutMs = 5000 }: JwksSource,
): Promise<string> {
  if (typeof jwks === 'string') return jwks;
  return endpointOf(await discoverServer(issuer, { fetch, timeoutMs, signal }), 'jwks_uri');
}
