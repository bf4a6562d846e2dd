import type { SigningAlgorithm } from './resource-servers.ts';

/**
 * next: published, not yet used · active: signs · retiring: published until its last token has expired ·
 * retired: gone from the JWKS · compromised: gone at once.
 */
export type SigningKeyState = 'next' | 'active' | 'retiring' | 'retired' | 'compromised';

/**
 * The algorithm of the keys under which opaque tokens are sealed. They are kept and rotated like those that sign, and are
 * never published: only this authority reads what they seal.
 */
export const OPAQUE_TOKEN_ALGORITHM = 'HS256';
export type KeyAlgorithm = SigningAlgorithm | typeof OPAQUE_TOKEN_ALGORITHM;

export interface SigningKeyRecord {
  readonly kid: string;
  readonly alg: KeyAlgorithm;
  readonly state: SigningKeyState;
  /** Empty for a key that is never published. */
  readonly publicJwk: Readonly<Record<string, string>>;
  /** The private key (PKCS#8 DER) or the secret, sealed under the master key. Emptied when retired. */
  readonly sealedPrivateKey: string;
  readonly createdAt: number;
  /** From when on it signs, or signed. */
  readonly activeAt: number;
  /** When it stopped signing; undefined before. */
  readonly retiringAt: number | undefined;
  /** When the last token it signed has expired and it may leave the JWKS; undefined before it is retiring. */
  readonly removeAt: number | undefined;
  readonly version: number;
}

export interface SigningKeyStore {
  /** `unique_conflict` (`active_alg`) when the algorithm has a key in this state and the state is next or active. */
  insert(record: SigningKeyRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`. `version_conflict` otherwise. */
  replace(record: SigningKeyRecord): Promise<void>;
  /** All but retired ones, oldest first. */
  live(): Promise<readonly SigningKeyRecord[]>;
  byKid(kid: string): Promise<SigningKeyRecord | undefined>;
  /** How often any of them was written, ever: rises with each insert and replacement, and never falls. */
  writes(): Promise<number>;
}
