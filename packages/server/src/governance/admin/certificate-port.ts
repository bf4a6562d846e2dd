/** Where this deployment sees the certificates of callers. */
export interface CertificatePort {
  /** Base URL of `mtls_endpoint_aliases` (RFC 8705 §5), where there is a listener or a name for one. */
  readonly mtlsBase: string | undefined;
  /** Whether certificates are seen at all: there, or by the word of a declared proxy. */
  readonly clientCertificates: boolean;
}

const PATHS: Readonly<Record<string, string>> = {
  'token.refused': '/oauth/token',
  'introspection.refused': '/oauth/introspect',
  'revocation.refused': '/oauth/revoke',
  'renewal.refused': '/oauth/certificate',
};

/** The sentence that names the address for an operator whose client came elsewhere; `type` of the refusal's event. */
export function certificatePort({ mtlsBase, clientCertificates }: CertificatePort, type: string): string {
  if (mtlsBase !== undefined) return `Here that is ${mtlsBase}${PATHS[type] ?? ''}.`;
  if (clientCertificates) {
    return 'Here they are seen through the proxy alone for which client-cert-header is set: let it come that way.';
  }
  return 'This authority sees none: set mtls-port, or declare the proxy that does (trusted-proxy, client-cert-header).';
}
