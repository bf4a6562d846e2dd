import type { CertificateRecord, CertificateRevocationReason } from '../../storage/certificates.ts';
import { certificateOf } from '../../x509/certificate.ts';
import { readPem } from '../../x509/pem.ts';
import { rfc3339 } from '../views.ts';

/** A certificate as people and programs see it. */
export interface CertificateView {
  id: string;
  serial_number: string;
  identity: string;
  client_id: string;
  credential: string;
  authority: string;
  state: 'valid' | 'expired' | 'revoked';
  spiffe_id: string | null;
  dns_names: string[];
  /** `x5t#S256`: what tokens bound to it name. */
  thumbprint: string;
  certificate: string;
  issued_by: CertificateRecord['issuedBy'];
  /** Id of the certificate that its machine showed for it. */
  renewed_from: string | null;
  not_before: string;
  expires_at: string;
  /** When whoever holds it should ask for the next: after half its life. */
  renew_after: string;
  revoked_at: string | null;
  revocation_reason: CertificateRevocationReason | null;
  created_at: string;
  version: number;
}

export function certificateView(record: CertificateRecord, clientId: string, now: number): CertificateView {
  const { uris, dns } = namesIn(record.certificate);
  return {
    id: record.id,
    serial_number: record.serialNumber.replace(/^00(?=.)/, ''),
    identity: record.identityId,
    client_id: clientId,
    credential: record.credentialId,
    authority: record.authorityId,
    state: record.revoked !== undefined ? 'revoked' : record.notAfter < now ? 'expired' : 'valid',
    spiffe_id: uris[0] ?? null,
    dns_names: dns,
    thumbprint: record.thumbprint,
    certificate: record.certificate,
    issued_by: record.issuedBy,
    renewed_from: record.renewedFrom ?? null,
    not_before: rfc3339(record.notBefore),
    expires_at: rfc3339(record.notAfter),
    renew_after: rfc3339(record.createdAt + Math.floor((record.notAfter - record.createdAt) / 2)),
    revoked_at: record.revoked === undefined ? null : rfc3339(record.revoked.at),
    revocation_reason: record.revoked?.reason ?? null,
    created_at: rfc3339(record.createdAt),
    version: record.version,
  };
}

function namesIn(pem: string): { readonly uris: string[]; readonly dns: string[] } {
  const [der] = readPem(pem, 'CERTIFICATE') ?? [];
  const names = der === undefined ? [] : certificateOf(der).subjectAltNames;
  const texts = (form: 'uri' | 'dns'): string[] =>
    names.flatMap((name) => (name.form === form && 'text' in name ? [name.text] : []));
  return { uris: texts('uri'), dns: texts('dns') };
}
