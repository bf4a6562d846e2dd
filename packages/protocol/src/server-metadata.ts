// Authorization server metadata: RFC 8414 §2, §3; issuer identifier: RFC 8414 §2, RFC 9207 §2.

declare const issuerBrand: unique symbol;

/** An issuer identifier. Two are the same only as equal strings; a trailing slash counts. */
export type Issuer = string & { readonly [issuerBrand]: true };

/** The metadata document, in the members that are in use here. */
export interface ServerMetadata {
  readonly issuer: string;
  readonly token_endpoint: string;
  readonly jwks_uri: string;
  readonly response_types_supported: readonly string[];
  readonly authorization_endpoint?: string;
  readonly grant_types_supported?: readonly string[];
  readonly token_endpoint_auth_methods_supported?: readonly string[];
  readonly token_endpoint_auth_signing_alg_values_supported?: readonly string[];
  readonly introspection_endpoint?: string;
  readonly introspection_endpoint_auth_methods_supported?: readonly string[];
  readonly revocation_endpoint?: string;
  readonly revocation_endpoint_auth_methods_supported?: readonly string[];
  readonly registration_endpoint?: string;
  readonly scopes_supported?: readonly string[];
  readonly service_documentation?: string;
  readonly dpop_signing_alg_values_supported?: readonly string[];
  readonly tls_client_certificate_bound_access_tokens?: boolean;
  readonly mtls_endpoint_aliases?: { readonly [endpoint: string]: string };
  readonly authorization_details_types_supported?: readonly string[];
  readonly protected_resources?: readonly string[];
  /** Ours: the signed cut-off feed. */
  readonly cutoffs_endpoint?: string;
  /** Ours: where a client gives its key a successor. */
  readonly key_rotation_endpoint?: string;
  /** Ours: where a machine renews its certificate, and where a device gets its first. */
  readonly certificate_renewal_endpoint?: string;
  readonly device_claim_endpoint?: string;
  /** Ours: where a resource server has the keys from which those of its clients are derived (RFC 9202 §3.3.1). */
  readonly derivation_keys_endpoint?: string;
  /** Ours: the SPIFFE trust domain of the deployment, and where its trust bundle is (profile https_web). */
  readonly spiffe_trust_domain?: string;
  readonly spiffe_bundle_endpoint?: string;
  readonly [name: string]: unknown;
}

export type WellKnownSuffix = 'oauth-authorization-server' | 'openid-configuration';

/**
 * Reads an issuer identifier: an https URL, or http on loopback, without user, query or fragment and already written
 * the way URLs are normalised, so that no two spellings of one issuer exist. `undefined` for anything else.
 */
export function parseIssuer(text: string): Issuer | undefined {
  if (text.length > 2048 || /[?#@]/.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.href !== text && url.href !== `${text}/`) return undefined;
  return isSecure(url) ? (text as Issuer) : undefined;
}

/** Whether what is sent there stays between both ends: https, or http on loopback. */
export function isSecure({ protocol, hostname }: Pick<URL, 'protocol' | 'hostname'>): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

/**
 * Where the metadata of an issuer is: the well-known part goes between host and path for RFC 8414 (§3.1), and after
 * the path for the OpenID document (RFC 8414 §5).
 */
export function wellKnownUrl(issuer: string, suffix: WellKnownSuffix): string {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.endsWith('/') ? pathname.slice(0, -1) : pathname;
  return suffix === 'openid-configuration'
    ? `${origin}${path}/.well-known/openid-configuration`
    : `${origin}/.well-known/oauth-authorization-server${path}`;
}

/** True for `localhost`, 127.0.0.0/8 and ::1, as `URL.hostname` writes them. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
