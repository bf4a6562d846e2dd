// Finding the token endpoint and the way to prove oneself there: RFC 8414 §2, §3.
import type { Issuer } from '@countersign/protocol';
import { DiscoveryError, discoverServer, endpointOf, mtlsEndpointOf } from '@countersign/protocol/discovery';
import type { ClientAuthMethod } from './client-auth/client-auth.ts';
import { clientSecretBasic } from './client-auth/client-secret-basic.ts';
import { clientSecretPost } from './client-auth/client-secret-post.ts';
import { privateKeyJwt } from './client-auth/private-key-jwt.ts';
import { selfSignedTlsClientAuth } from './client-auth/self-signed-tls-client-auth.ts';
import { tlsClientAuth } from './client-auth/tls-client-auth.ts';
import { assertionAlone } from './grants/jwt-bearer.ts';
import type { Signer } from './signing-key.ts';
import type { SubjectTokenSource } from './subject-token/source.ts';

export interface TokenEndpoint {
  readonly url: string;
  /** Where the authority tells of tokens. @throws DiscoveryError */
  readonly introspection: () => string;
  /** Where a client gives its key a successor. @throws DiscoveryError */
  readonly keyRotation: () => string;
  /** Where a resource server has the keys that it shares with the authority. @throws DiscoveryError */
  readonly derivationKeys: () => string;
  readonly clientAuth: ClientAuthMethod;
}

/** By what the client has, in the order of preference. */
const WITH_SECRET: Way = { by: 'a client secret', methods: [clientSecretBasic, clientSecretPost] };
const WITH_KEY: Way = { by: 'a private key', methods: [privateKeyJwt] };
const WITH_CERTIFICATE: Way = { by: 'a certificate', methods: [tlsClientAuth, selfSignedTlsClientAuth] };

interface Way {
  readonly by: string;
  readonly methods: readonly ClientAuthMethod[];
}

export interface TokenEndpointDeps {
  readonly issuer: Issuer;
  readonly clientAuthMethod: string | undefined;
  readonly clientSecret: string;
  readonly signer: Signer | undefined;
  readonly showsCertificate: boolean;
  readonly subjectToken: SubjectTokenSource | undefined;
  readonly fetch: typeof globalThis.fetch;
}

/** @throws DiscoveryError · FetchFailure */
export async function findTokenEndpoint(
  deps: TokenEndpointDeps,
  signal: AbortSignal,
): Promise<TokenEndpoint> {
  const metadata = await discoverServer(deps.issuer, { fetch: deps.fetch, signal });
  // RFC 8705 §5: also for who proves itself otherwise and wants its tokens bound.
  const address = deps.showsCertificate ? mtlsEndpointOf : endpointOf;
  const url = address(metadata, 'token_endpoint');
  const introspection = (): string => address(metadata, 'introspection_endpoint');
  const keyRotation = (): string => endpointOf(metadata, 'key_rotation_endpoint');
  const derivationKeys = (): string => endpointOf(metadata, 'derivation_keys_endpoint');
  const endpoints = { url, introspection, keyRotation, derivationKeys };
  if (deps.subjectToken !== undefined) return { ...endpoints, clientAuth: assertionAlone };
  // RFC 8414 §2: left out means client_secret_basic.
  const offered = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const { by, methods } =
    deps.signer !== undefined ? WITH_KEY : deps.clientSecret === '' ? WITH_CERTIFICATE : WITH_SECRET;
  const clientAuth = methods.find(({ name }) =>
    deps.clientAuthMethod === undefined ? offered.includes(name) : name === deps.clientAuthMethod,
  );
  if (clientAuth === undefined) {
    throw new DiscoveryError('malformed', `${deps.issuer} offers no way to prove oneself by ${by}`);
  }
  return { ...endpoints, clientAuth };
}
