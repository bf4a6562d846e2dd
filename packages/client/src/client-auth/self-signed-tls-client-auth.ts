// self_signed_tls_client_auth: RFC 8705 §2.2. On the wire it is tls_client_auth: which one it is, the authority knows.
import type { ClientAuthMethod } from './client-auth.ts';
import { tlsClientAuth } from './tls-client-auth.ts';

export const selfSignedTlsClientAuth: ClientAuthMethod = {
  name: 'self_signed_tls_client_auth',
  prove: (client) => tlsClientAuth.prove(client),
};
