// The MCP SDK's own provider for client credentials and private_key_jwt (RFC 7523), for whoever wants no other SDK.
import { PrivateKeyJwtProvider } from '@modelcontextprotocol/client';

/**
 * It reads an authority's metadata only where they name an authorization_endpoint, and one at which nobody logs in has none
 * (RFC 8414 §2: it may be left out where no grant type uses it). Told where the authority is and what it says, it goes on.
 * @param {string} clientId
 * @param {import('node:crypto').KeyObject} privateKey P-256
 * @param {{ issuer: string, fetch: typeof fetch }} authority
 */
export async function providerOf(clientId, privateKey, { issuer, fetch }) {
  const response = await fetch(`${issuer}/.well-known/oauth-authorization-server`);
  const authorizationServerMetadata = await response.json();
  // What a client has to look at before it believes them (RFC 8414 §3.3).
  if (authorizationServerMetadata.issuer !== issuer) throw new Error('metadata of another issuer');
  const provider = new PrivateKeyJwtProvider({
    clientId,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    algorithm: 'ES256',
    expectedIssuer: issuer,
  });
  return Object.assign(provider, {
    discoveryState: () => ({ authorizationServerUrl: issuer, authorizationServerMetadata }),
  });
}
