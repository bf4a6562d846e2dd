// Authorization server metadata: RFC 8414 §2 and §3. Built from what is composed, never from a request's Host.
import { jsonResponse } from '../../http/response.ts';
import type { Endpoint } from '../../http/route.ts';

export interface ServerMetadataFacts {
  readonly issuer: string;
  readonly grantTypes: readonly string[];
  readonly clientAuthMethods: readonly string[];
  /** Of assertions, at every endpoint (RFC 8414 §2). */
  readonly assertionAlgorithms: readonly string[];
  /** `https://…` of the listener that asks for certificates, when there is one. */
  readonly mtlsBase: string | undefined;
  /** Tokens are bound to certificates where a resource server wants it (RFC 8705 §3.3). */
  readonly certificateBoundTokens?: boolean;
  /** What SPIFFE IDs of this deployment begin with. */
  readonly trustDomain?: string;
  /** Undefined: proofs are not looked at. */
  readonly dpopAlgorithms?: readonly string[] | undefined;
  /** The admin API's resource identifier (RFC 9728 §4). */
  readonly protectedResources: readonly string[];
}

/** Seconds. */
const MAX_AGE = 300;

export function serverMetadata(facts: ServerMetadataFacts): Readonly<Record<string, unknown>> {
  const { issuer } = facts;
  return {
    issuer,
    token_endpoint: `${issuer}/oauth/token`,
    jwks_uri: `${issuer}/oauth/jwks`,
    grant_types_supported: facts.grantTypes,
    token_endpoint_auth_methods_supported: facts.clientAuthMethods,
    token_endpoint_auth_signing_alg_values_supported: facts.assertionAlgorithms,
    // RFC 8414 §2 requires the member; there is no authorization endpoint, hence nothing in it would be true.
    response_types_supported: ['none'],
    protected_resources: facts.protectedResources,
    cutoffs_endpoint: `${issuer}/oauth/cutoffs`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    introspection_endpoint_auth_methods_supported: facts.clientAuthMethods,
    introspection_endpoint_auth_signing_alg_values_supported: facts.assertionAlgorithms,
    introspection_signing_alg_values_supported: ['ES256'],
    revocation_endpoint: `${issuer}/oauth/revoke`,
    revocation_endpoint_auth_methods_supported: facts.clientAuthMethods,
    revocation_endpoint_auth_signing_alg_values_supported: facts.assertionAlgorithms,
    key_rotation_endpoint: `${issuer}/oauth/rotate`,
    derivation_keys_endpoint: `${issuer}/oauth/derivation-keys`,
    certificate_renewal_endpoint: `${issuer}/oauth/certificate`,
    device_claim_endpoint: `${issuer}/oauth/claim`,
    ...(facts.trustDomain === undefined
      ? {}
      : { spiffe_trust_domain: facts.trustDomain, spiffe_bundle_endpoint: `${issuer}/spiffe/bundle` }),
    ...(facts.dpopAlgorithms === undefined
      ? {}
      : { dpop_signing_alg_values_supported: facts.dpopAlgorithms }),
    ...(facts.certificateBoundTokens === true ? { tls_client_certificate_bound_access_tokens: true } : {}),
    ...(facts.mtlsBase === undefined ? {} : { mtls_endpoint_aliases: aliases(facts.mtlsBase) }),
  };
}

/** RFC 8705 §5: where a client that shows a certificate finds what it proves itself at. */
function aliases(base: string): Readonly<Record<string, string>> {
  return {
    token_endpoint: `${base}/oauth/token`,
    introspection_endpoint: `${base}/oauth/introspect`,
    revocation_endpoint: `${base}/oauth/revoke`,
    certificate_renewal_endpoint: `${base}/oauth/certificate`,
  };
}

/** The same document at `/.well-known/oauth-authorization-server` and, for clients that know only it, openid-configuration. */
export function createServerMetadataEndpoint(facts: ServerMetadataFacts): Endpoint {
  const response = jsonResponse(200, serverMetadata(facts), {
    'cache-control': `public, max-age=${MAX_AGE}`,
  });
  return async () => response;
}
