// An access token as the identity token of a session: OPC 10000-4 §7.40.2.2, §7.40.6, OPC 10000-6 §6.5.2.
import { type KeyObject, X509Certificate } from 'node:crypto';
import type { EndpointDescription, IssuedIdentityToken, UserTokenPolicy } from '../node-opcua.ts';
import { encryptSecret, packSecret, TOKEN_ENCRYPTIONS } from '../token-encryption.ts';
import { ConnectionError } from './connection-error.ts';
import type { ClientOpcUa, TokenContext } from './node-opcua-client.ts';

const JWT_TOKEN_TYPE = 'http://opcfoundation.org/UA/UserToken#JWT';

/** Encrypted for the server whose certificate the channel was opened with. @throws ConnectionError */
export function sealToken(
  opcua: ClientOpcUa,
  accessToken: string,
  context: TokenContext,
): IssuedIdentityToken {
  const { endpoint, serverCertificate, serverNonce } = context;
  const policy = jwtPolicy(opcua, endpoint);
  if (policy === undefined)
    throw new ConnectionError('tokens_not_taken', 'the endpoint does not take tokens');
  const encryption = TOKEN_ENCRYPTIONS[policy.securityPolicyUri || context.securityPolicy];
  const key = rsaKeyOf(serverCertificate);
  // Never in clear, whatever the server would have.
  if (encryption === undefined || key === undefined || serverNonce === undefined) {
    throw new ConnectionError('insecure_endpoint', 'a token is not sent where it cannot be encrypted');
  }
  const packed = packSecret(Buffer.from(accessToken), serverNonce);
  return new opcua.IssuedIdentityToken({
    policyId: policy.policyId,
    tokenData: encryptSecret(packed, key, encryption),
    encryptionAlgorithm: encryption.algorithm,
  });
}

/** Undefined also where the certificate is none: that is no reason to try again. */
function rsaKeyOf(certificate: Buffer | null): KeyObject | undefined {
  try {
    const key = certificate === null ? undefined : new X509Certificate(certificate).publicKey;
    return key?.asymmetricKeyType === 'rsa' ? key : undefined;
  } catch {
    return undefined;
  }
}

function jwtPolicy(
  { UserTokenType }: ClientOpcUa,
  { userIdentityTokens }: EndpointDescription,
): UserTokenPolicy | undefined {
  return userIdentityTokens?.find(
    ({ tokenType, issuedTokenType }) =>
      tokenType === UserTokenType.IssuedToken && issuedTokenType === JWT_TOKEN_TYPE,
  );
}
