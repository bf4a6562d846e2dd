// How a server says that it takes tokens, and of whom: OPC 10000-6 §6.5.2.2, OPC 10000-4 §7.42.
import type { EndpointDescription, NodeOpcua, UserTokenPolicy } from '../node-opcua.ts';
import { TOKEN_ENCRYPTIONS } from '../token-encryption.ts';
import type { OpcUaServer } from './server-hooks.ts';

export const JWT_TOKEN_TYPE = 'http://opcfoundation.org/UA/UserToken#JWT';
const OAUTH2_PROFILE = 'http://opcfoundation.org/UA/Authorization#OAuth2';
export const POLICY_ID = 'countersign-jwt';

export interface AuthorityFacts {
  /** This server, as the authority knows it. */
  readonly resource: string;
  readonly issuer: string;
  /** A path below the issuer. */
  readonly tokenEndpoint: string;
  readonly scopes: readonly string[];
}

/** `issuerEndpointUrl` of the policy. */
export function issuerEndpointUrl({ resource, issuer, tokenEndpoint, scopes }: AuthorityFacts): string {
  return JSON.stringify({
    'ua:resourceId': resource,
    'ua:authorityUrl': issuer,
    'ua:authorityProfileUri': OAUTH2_PROFILE,
    'ua:tokenEndpoint': tokenEndpoint,
    'ua:requestTypes': ['client_credentials'],
    'ua:scopes': scopes,
  });
}

/**
 * Rewrites what every endpoint accepts: tokens, where nobody can take the channel over and the token can be encrypted; anonymous
 * sessions where they are declared; and nothing else.
 */
export function offerTokens(
  opcua: NodeOpcua,
  server: Pick<OpcUaServer, 'endpoints'>,
  authority: AuthorityFacts,
  anonymous: boolean,
): void {
  const endpoints = server.endpoints.flatMap((endpoint) => endpoint.endpointDescriptions());
  for (const endpoint of endpoints) {
    const kept = (endpoint.userIdentityTokens ?? []).filter(
      ({ tokenType }) => anonymous && tokenType === opcua.UserTokenType.Anonymous,
    );
    if (takesTokens(opcua, endpoint)) kept.push(tokenPolicy(opcua, endpoint, authority));
    endpoint.userIdentityTokens = kept;
  }
  if (!endpoints.some((endpoint) => takesTokens(opcua, endpoint))) {
    throw new TypeError(
      'server: no endpoint is signed with a policy that encrypts tokens (Basic256Sha256, Aes128_Sha256_RsaOaep, Aes256_Sha256_RsaPss)',
    );
  }
}

/** The mode is that of the channel, which whoever listens could take over where it is not at least signed. */
export function takesTokens(
  { MessageSecurityMode: { Sign, SignAndEncrypt } }: Pick<NodeOpcua, 'MessageSecurityMode'>,
  { securityMode, securityPolicyUri }: Pick<EndpointDescription, 'securityMode' | 'securityPolicyUri'>,
): boolean {
  const signed = securityMode === Sign || securityMode === SignAndEncrypt;
  return signed && TOKEN_ENCRYPTIONS[securityPolicyUri ?? ''] !== undefined;
}

function tokenPolicy(
  opcua: NodeOpcua,
  { securityPolicyUri }: EndpointDescription,
  authority: AuthorityFacts,
): UserTokenPolicy {
  return new opcua.UserTokenPolicy({
    policyId: POLICY_ID,
    tokenType: opcua.UserTokenType.IssuedToken,
    issuedTokenType: JWT_TOKEN_TYPE,
    issuerEndpointUrl: issuerEndpointUrl(authority),
    // Said, though it is the channel's: a client must never take an empty one for "without encryption".
    securityPolicyUri,
  });
}
