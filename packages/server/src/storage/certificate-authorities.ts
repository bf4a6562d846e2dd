/** root: signs issuing authorities and nothing else · issuing: signs certificates and their revocation list. */
export type CertificateAuthorityRole = 'root' | 'issuing';

/**
 * pending: its key is made, its certificate is awaited · active: signs; of issuing ones there is one · retiring: signs its
 * revocation list until its last certificate has ended; a root: is trusted while one below it stands · retired: has ended, or
 * was given up · revoked: nothing it signed counts any more.
 */
export type CertificateAuthorityState = 'pending' | 'active' | 'retiring' | 'retired' | 'revoked';

export type CertificateAlgorithm = 'ES256' | 'ES384';

export interface CertificateAuthorityRecord {
  readonly id: string;
  readonly role: CertificateAuthorityRole;
  readonly state: CertificateAuthorityState;
  readonly alg: CertificateAlgorithm;
  readonly publicJwk: Readonly<Record<string, string>>;
  /** PEM (PKCS #10): with which somebody else is asked for its certificate; undefined where nobody had to be. */
  readonly request: string | undefined;
  /** PEM; undefined while it is pending. */
  readonly certificate: string | undefined;
  /** PEM of those above it, the nearest first, the root last; empty for a root. */
  readonly above: string;
  /** Sealed under the master key; undefined: the key is not here, or not any more. */
  readonly sealedPrivateKey: string | undefined;
  readonly createdAt: number;
  /** When it ends, or one above it does (epoch ms); undefined while it is pending. */
  readonly notAfter: number | undefined;
  readonly updatedAt: number;
  readonly version: number;
}

export interface CertificateAuthorityStore {
  /** `unique_conflict` (`active_issuing`) when there is an active issuing one and this is another. */
  insert(record: CertificateAuthorityRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`. `version_conflict` otherwise. */
  replace(record: CertificateAuthorityRecord): Promise<void>;
  /** All but retired ones, oldest first. */
  live(): Promise<readonly CertificateAuthorityRecord[]>;
  byId(id: string): Promise<CertificateAuthorityRecord | undefined>;
  /** Whether there ever was one, retired ones counted. */
  any(): Promise<boolean>;
  /** How often any of them was written, ever: rises with each insert and replacement, and never falls. */
  writes(): Promise<number>;
}
