// The metadata document of this API: RFC 9728 §2, §3.
import {
  type ResourceIndicator,
  type ResourceMetadata,
  resourceMetadataUrl,
} from '@countersign/protocol/portable';

export interface PublishedMetadata {
  /** Where clients look for it; also the challenge's `resource_metadata`. */
  readonly url: string;
  /** The same without scheme and host: what a request for it has as its target. */
  readonly path: string;
  readonly document: ResourceMetadata;
}

export interface MetadataFacts {
  readonly resource: ResourceIndicator;
  readonly issuers: readonly string[];
  readonly scopes?: readonly string[] | undefined;
  readonly name?: string | undefined;
  readonly documentation?: string | undefined;
  /** Whether tokens must be bound to certificates. */
  readonly mtls?: boolean;
  /** What proofs of possession are taken, and whether no token is without one. */
  readonly dpop?: { readonly algorithms: readonly string[]; readonly required: boolean } | undefined;
}

/** Builds the document and its address; `undefined` when the resource is not a web address and so has none. */
export function publishedMetadata(facts: MetadataFacts): PublishedMetadata | undefined {
  const { resource, dpop } = facts;
  const url = resourceMetadataUrl(resource);
  if (url === undefined) return undefined;
  return {
    url,
    path: url.slice(new URL(url).origin.length),
    document: defined({
      resource,
      authorization_servers: facts.issuers,
      scopes_supported: facts.scopes,
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: dpop?.algorithms,
      dpop_bound_access_tokens_required: dpop?.required,
      tls_client_certificate_bound_access_tokens: facts.mtls || undefined,
      resource_name: facts.name,
      resource_documentation: facts.documentation,
    }),
  };
}

/** A member that says nothing is not there. */
function defined(document: { readonly [name: string]: unknown }): ResourceMetadata {
  return JSON.parse(JSON.stringify(document)) as ResourceMetadata;
}
