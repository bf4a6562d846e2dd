import { type JsonWebKey, jwkThumbprint } from '@countersign/protocol';
import type {
  CredentialMaterial,
  CredentialRecord,
  CredentialState,
  CredentialType,
} from '../storage/credentials.ts';
import { BUILT_IN_CA, type CertificateMaterial, thumbprints } from './certificate-rule.ts';
import { rfc3339 } from './views.ts';

/** A credential as people and programs see it; see views.ts. */
export interface CredentialView {
  id: string;
  identity: string;
  client_id: string;
  type: CredentialType;
  label: string;
  state: CredentialState;
  public_id: string | null;
  /** Only of an API key that opens less than its identity has. */
  resource_server?: string;
  scopes?: string[];
  /** Only of a federated one. */
  trusted_issuer?: string;
  conditions?: Record<string, string>;
  /** Only of private_key_jwt. */
  jwk?: Record<string, unknown>;
  jwks_uri?: string;
  allow_token_endpoint_audience?: true;
  allow_rs256?: true;
  /** Only of tls_client_auth, exactly one of the five. */
  subject_dn?: string;
  san_dns?: string;
  san_uri?: string;
  san_ip?: string;
  san_email?: string;
  /** Of this deployment's own authority. */
  ca?: string;
  /** SHA-256 of the authorities and of their revocation lists, base64url. */
  ca_thumbprints?: string[];
  crl_thumbprints?: string[];
  /** PEM; only of self_signed_tls_client_auth. */
  certificate?: string;
  /** Only where it takes another's place, or has one that takes its own. */
  predecessor?: string;
  rotated_by?: 'itself' | 'administration';
  successor?: string;
  rotated_at?: string;
  not_before: string;
  expires_at: string;
  created_at: string;
  updated_at: string;
  version: number;
}

export function credentialView(record: CredentialRecord, clientId: string): CredentialView {
  const { material } = record;
  return {
    id: record.id,
    identity: record.identityId,
    client_id: clientId,
    type: material.type,
    label: record.label,
    state: record.state,
    public_id: publicIdOf(material),
    ...(material.type === 'api_key' && material.resourceServerId !== undefined
      ? { resource_server: material.resourceServerId }
      : {}),
    ...(material.type === 'api_key' && material.scopes !== undefined ? { scopes: [...material.scopes] } : {}),
    ...(material.type === 'federated'
      ? { trusted_issuer: material.trustedIssuer, conditions: { ...material.conditions } }
      : {}),
    ...(material.type === 'private_key_jwt' ? clientKeyView(material) : {}),
    ...(material.type === 'tls_client_auth' ? tlsClientView(material) : {}),
    ...(material.type === 'self_signed_tls_client_auth' ? { certificate: material.certificate } : {}),
    ...placesOf(record),
    not_before: rfc3339(record.notBeforeAt),
    expires_at: rfc3339(record.expiresAt),
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

function placesOf({ predecessor, successor }: CredentialRecord): Partial<CredentialView> {
  return {
    ...(predecessor === undefined ? {} : { predecessor: predecessor.id, rotated_by: predecessor.by }),
    ...(successor === undefined ? {} : { successor: successor.id, rotated_at: rfc3339(successor.since) }),
  };
}

/** Of a secret the part that may be shown; of a key its RFC 7638 thumbprint, of a certificate its `x5t#S256`. */
function publicIdOf(material: CredentialMaterial): string | null {
  if ('publicId' in material) return material.publicId;
  if (material.type === 'self_signed_tls_client_auth') return material.thumbprint;
  if (material.type !== 'private_key_jwt' || material.jwk === undefined) return null;
  return jwkThumbprint(material.jwk as JsonWebKey);
}

function tlsClientView({ field, value, ca, crl }: CertificateMaterial): Partial<CredentialView> {
  return {
    [field]: value,
    ...(ca === BUILT_IN_CA ? { ca } : { ca_thumbprints: thumbprints(ca, 'CERTIFICATE') }),
    ...(crl === undefined ? {} : { crl_thumbprints: thumbprints(crl, 'X509 CRL') }),
  };
}

export function clientKeyView({
  jwk,
  jwksUri,
  allowTokenEndpointAudience,
  allowRs256,
}: Extract<CredentialMaterial, { type: 'private_key_jwt' }>): Pick<
  CredentialView,
  'jwk' | 'jwks_uri' | 'allow_token_endpoint_audience' | 'allow_rs256'
> {
  return {
    ...(jwk === undefined ? {} : { jwk: { ...jwk } }),
    ...(jwksUri === undefined ? {} : { jwks_uri: jwksUri }),
    ...(allowTokenEndpointAudience ? { allow_token_endpoint_audience: true } : {}),
    ...(allowRs256 === true ? { allow_rs256: true } : {}),
  };
}
