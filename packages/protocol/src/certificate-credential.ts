// No RFC: a client certificate as an API hands it on to its authority, to be asked about it as about a token (RFC 7662 §2.1).
import { decodeBase64url, encodeBase64url } from './base64url.ts';

/**
 * `token_type_hint` of a question about a certificate. Without it the authority answers that nothing is active: a certificate is
 * public, and an API that knows nothing of this would take it from anybody.
 */
export const CERTIFICATE_HINT = 'urn:countersign:token-type:certificate';

const PREFIX = 'x5c:';
/** As many as a path may have. */
const MOST = 10;

export interface CertificateCredential {
  /** As claimed. */
  readonly clientId: string;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
}

/** For `verify` and `watch`, in the place of a token, with the leaf as `certificate`: whoever asks has seen its key proved. */
export function certificateCredential({ clientId, chain }: CertificateCredential): string {
  return `${PREFIX}${clientId}:${chain.slice(0, MOST).map(encodeBase64url).join(',')}`;
}

/** Whether a text is meant as one: no token begins like that. */
export function looksLikeCertificate(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** Undefined for whatever is none. */
export function parseCertificateCredential(text: string): CertificateCredential | undefined {
  const [, clientId, certificates] = /^x5c:([^:]{1,128}):([A-Za-z0-9_,-]+)$/.exec(text) ?? [];
  if (clientId === undefined || certificates === undefined) return undefined;
  const chain: Uint8Array[] = [];
  for (const each of certificates.split(',', MOST + 1)) {
    const der = decodeBase64url(each);
    if (der === undefined || der.length === 0) return undefined;
    chain.push(der);
  }
  return chain.length > MOST ? undefined : { clientId, chain };
}
