// client_secret_basic: RFC 6749 §2.3.1, id and secret form-encoded before base64.
import { formatBasicCredentials } from '@countersign/protocol';
import type { ClientAuthMethod } from './client-auth.ts';

export const clientSecretBasic: ClientAuthMethod = {
  name: 'client_secret_basic',
  prove: ({ clientId, clientSecret }) => ({
    headers: { authorization: formatBasicCredentials(clientId, clientSecret) },
    form: [],
  }),
};
