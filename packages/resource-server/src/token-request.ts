// What is asked of a verifier and what it answers: RFC 6750 §3, RFC 9449 §7.1, RFC 8705 §3.
import type { AccessTokenClaims, TokenScheme } from '@countersign/protocol';
import type { Refusal } from './refusal.ts';

/** The request that a token came with. `scope`: what it needs, all of it, as a scope string or a list. */
export interface TokenRequest {
  readonly scope?: string | readonly string[];
  /** How the token came: the scheme of the Authorization header. Default: `DPoP` where a proof came with it. */
  readonly scheme?: TokenScheme;
  /** The request's method, as it was sent. Proofs of possession are for one. */
  readonly method?: string;
  /**
   * Where the request went: the whole URL as its sender sees it, or the path, which is read below `publicUrl`. Never make
   * it of a `Host` header.
   */
  readonly url?: string;
  /** The `DPoP` header (RFC 9449 §4). */
  readonly dpop?: string | undefined;
  /** DER of the certificate that the caller showed in its TLS handshake (RFC 8705 §3). Read only for a token bound to one. */
  readonly certificate?: Uint8Array | undefined;
}

export interface Verified {
  readonly ok: true;
  readonly claims: AccessTokenClaims;
  readonly scopes: readonly string[];
  /** To be sent with the response; there when proofs need nonces and this is a bound token. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type VerifyResult = Verified | Refusal;
