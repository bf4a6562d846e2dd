// Finding the token endpoint and the way to prove oneself there: RFC 8414 §2, §3.
import type { Issuer } from '@countersign/protocol';
import { DiscoveryError, discoverServer, endpointOf } from '@countersign/protocol/discovery';
import type { ClientAuthMethod } from './client-auth/client-auth.ts';
import { clientSecretBasic } from './client-auth/client-secret-basic.ts';
import { clientSecretPost } from './client-auth/client-secret-post.ts';
import { privateKeyJwt } from './client-auth/private-key-jwt.ts';
import type { Signer } from './signing-key.ts';

export interface TokenEndpoint {
  readonly url: string;
  readonly clientAuth: ClientAuthMethod;
}

/** By what the client has, in the order of preference. */
const WITH_SECRET: readonly ClientAuthMethod[] = [clientSecretBasic, clientSecretPost];
const WITH_KEY: readonly ClientAuthMethod[] = [privateKeyJwt];

export interface TokenEndpointDeps {
  readonly issuer: Issuer;
  readonly clientAuthMethod: string | undefined;
  readonly signer: Signer | undefined;
  readonly fetch: typeof globalThis.fetch;
}

/** @throws DiscoveryError · FetchFailure */
export async function findTokenEndpoint(
  deps: TokenEndpointDeps,
  signal: AbortSignal,
): Promise<TokenEndpoint> {
  const metadata = await discoverServer(deps.issuer, { fetch: deps.fetch, signal });
  const url = endpointOf(metadata, 'token_endpoint');
  // RFC 8414 §2: left out means client_secret_basic.
  const offered = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const methods = deps.signer === undefined ? WITH_SECRET : WITH_KEY;
  const clientAuth = methods.find(({ name }) =>
    deps.clientAuthMethod === undefined ? offered.includes(name) : name === deps.clientAuthMethod,
  );
  if (clientAuth === undefined) {
    const by = deps.signer === undefined ? 'a client secret' : 'a private key';
    throw new DiscoveryError('malformed', `${deps.issuer} offers no way to prove oneself by ${by}`);
  }
  return { url, clientAuth };
}
