import type { KeyObject } from 'node:crypto';
import type { SigningAlgorithm } from '../storage/resource-servers.ts';

/** A key that verifies tokens of this authority. One key, one algorithm. */
export interface PublishedKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly publicKey: KeyObject;
}

/** A key that opaque tokens are sealed under. */
export interface SealingKey {
  readonly kid: string;
  /** The first four bytes of the SHA-256 of the kid, as a number: what a token has room for. */
  readonly tag: number;
  /** 32 bytes that nobody without the key can make, the same each time for the same `purpose` (ASCII). */
  derive(purpose: string): Uint8Array;
}

export interface Keystore {
  /**
   * A signed compact JWS with the active key of `alg`. `header` is without `alg` and `kid`: the key decides both.
   * Signatures asked for within one event-loop turn are made together (performance.md: half the cost each).
   */
  sign(alg: SigningAlgorithm, typ: string, payload: string): Promise<string>;
  /** A signature (r‖s for ECDSA) over what `write` makes of the active key's id: for tokens that are no JWS. */
  signBytes(alg: SigningAlgorithm, write: (kid: string) => Uint8Array): Promise<Uint8Array>;
  /** Keys under which an unexpired token may still stand, compromised ones excluded. */
  verificationKey(kid: string): PublishedKey | undefined;
  /** The active key for opaque tokens; rejects when there is none. */
  sealingKey(): SealingKey | Promise<SealingKey>;
  /** The key that an unexpired opaque token may be sealed under, compromised ones excluded. */
  openingKey(tag: number): SealingKey | undefined;
  /** All of those. */
  openingKeys(): readonly SealingKey[];
  /** The JWKS document (RFC 7517 §5), `next` keys included. */
  jwks(): { readonly keys: readonly Readonly<Record<string, string>>[] };
}
