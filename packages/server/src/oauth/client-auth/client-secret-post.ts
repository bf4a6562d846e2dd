// client_secret_post: RFC 6749 §2.3.1, credentials as body parameters.
import type { SecretHash } from '../../registry/secret-hash.ts';
import type { ClientAuthMethod } from './method.ts';

export function clientSecretPost(hash: SecretHash): ClientAuthMethod<string> {
  return {
    name: 'client_secret_post',

    present(_request, form) {
      const secret = form.get('client_secret');
      if (secret === undefined) return undefined;
      return { clientId: form.get('client_id') ?? '', proof: secret };
    },

    verify: (presented, credentials) => hash.match(presented.proof, credentials),
  };
}
