import type { CredentialType } from '../storage/credentials.ts';

/** What is better than each type of credential that holds a secret which others could copy. */
const BETTER: { readonly [type in CredentialType]?: string } = {
  api_key:
    'An API key is sent to every API as it is. Better: private_key_jwt, tls_client_auth or federated, where no secret leaves the client; or at least client_secret, which only the token endpoint sees.',
  client_secret:
    'A client secret can be copied. Better, where the client can: private_key_jwt, tls_client_auth or federated, where no secret leaves it.',
};

/** Undefined: there is nothing better to name. */
export function betterMethod(type: CredentialType): string | undefined {
  return BETTER[type];
}
