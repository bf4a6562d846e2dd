// tls_client_auth: RFC 8705 §2.1. The proof is the certificate of the connection, which the client's fetch shows.
import type { ClientAuthMethod } from './client-auth.ts';

export const tlsClientAuth: ClientAuthMethod = {
  name: 'tls_client_auth',
  // RFC 8705 §2: the client_id is always there.
  prove: ({ clientId }) => ({ headers: {}, form: [['client_id', clientId]] }),
};
