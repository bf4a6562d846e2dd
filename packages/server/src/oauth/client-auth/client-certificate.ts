// Client authentication by the certificate of the connection: what RFC 8705 §2.1 and §2.2 share.
import type { ClientCertificate } from '../../http/request.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import { Refusal } from '../refusal.ts';
import type { ClientAuthMethod } from './method.ts';

/** One of the two registered methods. Its credentials have its name as their type. */
export interface CertificateMethod {
  readonly name: 'tls_client_auth' | 'self_signed_tls_client_auth';
  /**
   * The credential of this type that the certificate matches at `now` (epoch ms), in whatever state it is, or undefined.
   * May throw a `Refusal` that says more; it stands only where the other method does not match either. Does the same work
   * for no credentials as for some.
   */
  verify(
    certificate: ClientCertificate,
    credentials: readonly CredentialRecord[],
    now: number,
  ): CredentialRecord | undefined;
}

/**
 * Claims a request with a certificate and a client_id (RFC 8705 §2: always needed) and nothing else by which a client
 * authenticates: a certificate beside a secret or an assertion binds a token and proves nobody. Which of the two methods
 * it is, no request says: the client's credentials do.
 */
export function clientCertificate(
  methods: readonly CertificateMethod[],
): ClientAuthMethod<ClientCertificate> {
  return {
    name: 'tls_client_auth',
    covers: methods.map(({ name }) => name),

    present(request, form) {
      const clientId = form.get('client_id');
      if (clientId === undefined || OTHERS.some((parameter) => form.get(parameter) !== undefined))
        return undefined;
      if (request.rawHeaders.some((text, i) => i % 2 === 0 && OTHER_HEADERS.test(text))) return undefined;
      const certificate = request.clientCertificate;
      return certificate === undefined ? undefined : { clientId, proof: certificate };
    },

    verify({ proof }, credentials, now) {
      let matched: CredentialRecord | undefined;
      let refusal: Refusal | undefined;
      for (const method of methods) {
        try {
          matched ??= method.verify(proof, credentials, now);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          refusal ??= error;
        }
      }
      if (matched !== undefined) return matched;
      if (refusal !== undefined) throw refusal;
      if (credentials.length > 0) throw new Refusal('certificate_mismatch');
      return undefined;
    },
  };
}

const OTHERS = ['client_secret', 'client_assertion', 'client_assertion_type'];
const OTHER_HEADERS = /^(?:authorization|x-api-key)$/i;
