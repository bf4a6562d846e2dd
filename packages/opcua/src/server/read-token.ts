// The token in an ActivateSession request: encrypted for this server and this moment (OPC 10000-4 §7.40.2.2, §7.40.6).
import type { IssuedIdentityToken, NodeOpcua } from '../node-opcua.ts';
import { TOKEN_ENCRYPTIONS, unpackSecret } from '../token-encryption.ts';
import type { SessionRefusal } from './refusal.ts';
import type { ServerChannel, ServerCrypto } from './server-hooks.ts';
import { POLICY_ID, takesTokens } from './token-policy.ts';

/** Bytes of ciphertext: 32 blocks of a 2048-bit key. Each costs a use of the private key. */
export const MAX_ENCRYPTED_BYTES = 8192;

export interface PresentedIdentity {
  readonly token: IssuedIdentityToken;
  readonly channel: ServerChannel;
  /** The last one that the session was given, taken when the request came. */
  readonly nonce: Buffer | undefined;
}

/** The access token as text, or why there is none. */
export async function readToken(
  opcua: NodeOpcua & ServerCrypto,
  { token, channel, nonce }: PresentedIdentity,
): Promise<string | SessionRefusal> {
  if (token.policyId !== POLICY_ID) return { reason: 'no_such_policy' };
  const { securityMode, securityPolicy } = channel;
  const encryption = TOKEN_ENCRYPTIONS[securityPolicy];
  if (encryption === undefined || !takesTokens(opcua, { securityMode, securityPolicyUri: securityPolicy })) {
    return { reason: 'insecure_channel' };
  }
  if (!token.encryptionAlgorithm) return { reason: 'token_not_encrypted' };
  if (token.encryptionAlgorithm !== encryption.algorithm) return { reason: 'wrong_encryption' };
  const data = token.tokenData;
  if (!(data instanceof Uint8Array) || data.length === 0) return { reason: 'undecipherable_token' };
  if (data.length > MAX_ENCRYPTED_BYTES) return { reason: 'token_too_long' };
  const factory = opcua.getCryptoFactory(securityPolicy);
  if (factory === null || nonce === undefined) return { reason: 'undecipherable_token' };
  const packed = await opcua
    .asymmetricDecryptWithKeyOps(factory, data, channel.getKeyOperations())
    .catch(() => undefined);
  const secret = packed && unpackSecret(packed, nonce);
  return secret === undefined ? { reason: 'undecipherable_token' } : secret.toString('utf8');
}
