import type { Page, PageRequest } from './page.ts';

/** Who asked for it: an administrator, the machine that held the one before, a device with its claim code, or the agent beside a workload. */
export type CertificateIssuedBy = 'administration' | 'itself' | 'claim' | 'agent';

/** RFC 5280 §5.3.1, those that somebody may give. */
export type CertificateRevocationReason =
  | 'unspecified'
  | 'key_compromise'
  | 'affiliation_changed'
  | 'superseded'
  | 'cessation_of_operation';

/** A certificate that was issued: kept for some time after its end. */
export interface CertificateRecord {
  readonly id: string;
  /** Hexadecimal, as in the certificate; unique. */
  readonly serialNumber: string;
  readonly identityId: string;
  /** The `tls_client_auth` credential that it serves. */
  readonly credentialId: string;
  readonly authorityId: string;
  /** Of its public key, as credentials have it. */
  readonly subjectKey: string;
  /** `x5t#S256`. */
  readonly thumbprint: string;
  /** PEM. */
  readonly certificate: string;
  readonly issuedBy: CertificateIssuedBy;
  /** The certificate that its machine showed for it; undefined where it was renewed with none, or where that is not known. */
  readonly renewedFrom?: string | undefined;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Undefined: it was not revoked by itself. */
  readonly revoked?: { readonly at: number; readonly reason: CertificateRevocationReason } | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

export interface CertificateFilter {
  readonly identityId?: string | undefined;
  readonly credentialId?: string | undefined;
  readonly serialNumber?: string | undefined;
  /** Only those that end before this instant (epoch ms). */
  readonly expiresBefore?: number | undefined;
}

/** Why a certificate may have to be on a list: judged by who reads it. */
export interface DoubtfulCertificate {
  readonly serialNumber: string;
  readonly revoked: CertificateRecord['revoked'];
  readonly credentialState: string;
  readonly credentialUpdatedAt: number;
  readonly identityId: string;
  readonly identityState: string;
  readonly identityStateSince: number;
  /** Since or from when on it is refused for good while it is being decommissioned (epoch ms); undefined: it is not. */
  readonly identityStopAt: number | undefined;
}

/** Where a line of renewed certificates begins. */
export type CertificateLine = { readonly certificateId: string } | { readonly credentialId: string };

export interface CertificateStore {
  /** `unique_conflict` (`serial_number`); `missing_reference` when identity or credential does not exist. */
  insert(record: CertificateRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`. `version_conflict` otherwise. Tells as its identity. */
  replace(record: CertificateRecord): Promise<void>;
  byId(id: string): Promise<CertificateRecord | undefined>;
  /** Those with this key, newest first; at most 200. */
  bySubjectKey(subjectKey: string): Promise<readonly CertificateRecord[]>;
  list(filter: CertificateFilter, page: PageRequest): Promise<Page<CertificateRecord>>;
  /**
   * Those of an authority that end at `since` (epoch ms) or later and that are revoked, or whose credential or identity is not
   * active; by serial number, at most `limit`.
   */
  doubtful(authorityId: string, since: number, limit: number): Promise<readonly DoubtfulCertificate[]>;
  /**
   * What was renewed from this one, or from any that serves this credential, and from those again, however many came between: those that
   * count at `now` (epoch ms), oldest first, at most `limit`. One that was renewed from nobody knows which counts as renewed from each
   * that its identity had before.
   */
  descendants(of: CertificateLine, now: number, limit: number): Promise<readonly CertificateRecord[]>;
  /**
   * Forgets those that ended before `before` (epoch ms), and all they were renewed from too, or a line would break in its middle; at
   * most `limit`; says how many.
   */
  forget(before: number, limit: number): Promise<number>;
}
