// client_secret_post: RFC 6749 §2.3.1, id and secret in the request body.
import type { ClientAuthMethod } from './client-auth.ts';

export const clientSecretPost: ClientAuthMethod = {
  name: 'client_secret_post',
  prove: ({ clientId, clientSecret }) => ({
    headers: {},
    form: [
      ['client_id', clientId],
      ['client_secret', clientSecret],
    ],
  }),
};
