// What a verifier needs of the platform's cryptography: signatures of JWS (RFC 7515 §5.2), SHA-256 (FIPS 180-4), HMAC (RFC 2104).
import type { ParsedJws, PublicJwk, parseAccessTokenClaims } from '@countersign/protocol/portable';
import type { CertificateHeaderOptions } from '../options.ts';
import type { IssuerSettings } from '../issuer-settings.ts';
import type { CallerCertificate } from '../sender-constraint/caller-certificate.ts';

/** A public key, imported. It is for the platform that made it. */
export type PlatformKey = PublicJwk;

/** Answers at once where the platform can. */
export interface Platform {
  /** Undefined for a key that is none, as a point off its curve; where that shows later only, it verifies nothing. */
  importKey(jwk: PublicJwk): PlatformKey | undefined;
  /**
   * The keys of a set that may be used. Throws or rejects with JwksError: on Web Crypto a set that was given is read with
   * the first token.
   */
  readKeys(
    source: Uint8Array | object,
    issuer: IssuerSettings,
  ): readonly PlatformKey[] | Promise<readonly PlatformKey[]>;
  /** Claims, in the way that is fastest there. */
  readonly parseClaims: typeof parseAccessTokenClaims;
  /** True when `key` made the signature and the header says the algorithm that the key is pinned to. Never throws or rejects. */
  verify(jws: ParsedJws<unknown>, key: PlatformKey): boolean | Promise<boolean>;
  /** base64url. */
  sha256(data: string | Uint8Array): string | Promise<string>;
  /** HMAC with SHA-256, base64url. */
  hmac(key: Uint8Array, text: string): string | Promise<string>;
  /** Reads what proxies say of certificates; undefined where nothing can. */
  readonly certificateHeader: ((options: CertificateHeaderOptions) => CallerCertificate) | undefined;
}
