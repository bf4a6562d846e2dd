// Protected resource metadata: RFC 9728 §2, §3.1.

/** The document that a resource server publishes about itself. */
export interface ResourceMetadata {
  readonly resource: string;
  readonly authorization_servers?: readonly string[];
  readonly jwks_uri?: string;
  readonly scopes_supported?: readonly string[];
  readonly bearer_methods_supported?: readonly ('header' | 'body' | 'query')[];
  readonly resource_name?: string;
  readonly resource_documentation?: string;
  readonly tls_client_certificate_bound_access_tokens?: boolean;
  readonly dpop_signing_alg_values_supported?: readonly string[];
  readonly dpop_bound_access_tokens_required?: boolean;
  readonly [name: string]: unknown;
}

/**
 * Where the metadata of a resource is: the well-known part goes between host and path or query. `undefined` for a
 * resource that is not a web address.
 */
export function resourceMetadataUrl(resource: string): string | undefined {
  if (!/^https?:\/\//i.test(resource) || resource.includes('#') || !URL.canParse(resource)) return undefined;
  const { origin, pathname, search } = new URL(resource);
  return `${origin}/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}${search}`;
}
