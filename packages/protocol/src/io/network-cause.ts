// What stands behind a `fetch failed`: a code of the platform; for certificates, RFC 5280 §6 and RFC 9525 §6.

export interface NetworkCause {
  /** Of the system, the resolver or the TLS library: `ECONNREFUSED`, `CERT_HAS_EXPIRED`. */
  readonly code: string;
  /** Which kind of fault it is; `network` unless it is the certificate's. */
  readonly fault: 'network' | 'untrusted_certificate' | 'bad_certificate';
}

/** The chain does not end in a certificate authority that is known here. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'CERT_REJECTED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
/** The chain may be good, and the certificate is not one for this host now. */
const BAD: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_PURPOSE',
]);
const CODE = /^[A-Z][A-Z0-9_]{2,60}$/;
const DEEPEST = 5;

/** The innermost error with a code of the platform, however deep `fetch` wrapped it. */
export function networkCause(error: unknown): NetworkCause | undefined {
  let found: NetworkCause | undefined;
  for (let at = error, depth = 0; at instanceof Error && depth < DEEPEST; at = at.cause, depth++) {
    const code: unknown = (at as NodeJS.ErrnoException).code;
    if (typeof code === 'string' && CODE.test(code)) found = { code, fault: faultOf(code) };
  }
  return found;
}

function faultOf(code: string): NetworkCause['fault'] {
  if (UNTRUSTED.has(code)) return 'untrusted_certificate';
  return BAD.has(code) ? 'bad_certificate' : 'network';
}
