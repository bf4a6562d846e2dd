import type { CertificateAuthorityRecord } from '../storage/certificate-authorities.ts';

/** An authority as people and programs see it. */
export interface AuthorityView {
  id: string;
  role: CertificateAuthorityRecord['role'];
  state: CertificateAuthorityRecord['state'];
  alg: CertificateAuthorityRecord['alg'];
  /** PEM (PKCS #10): what somebody else signs; null where nobody had to. */
  request: string | null;
  /** PEM; null while it is awaited. */
  certificate: string | null;
  /** PEM of those above it. */
  chain: string;
  /** Whether its key is here. */
  key_held: boolean;
  created_at: string;
  expires_at: string | null;
  version: number;
}

export function authorityView(record: CertificateAuthorityRecord): AuthorityView {
  return {
    id: record.id,
    role: record.role,
    state: record.state,
    alg: record.alg,
    request: record.request ?? null,
    certificate: record.certificate ?? null,
    chain: record.above,
    key_held: record.sealedPrivateKey !== undefined,
    created_at: new Date(record.createdAt).toISOString(),
    expires_at: record.notAfter === undefined ? null : new Date(record.notAfter).toISOString(),
    version: record.version,
  };
}
