import { type CertificateMaterial, thumbprints } from './certificate-rule.ts';
import { type JsonWebKey, jwkThumbprint } from '@countersign/protocol';
import type { AccessRecord } from '../storage/access.ts';
import type {
  CredentialMaterial,
  CredentialRecord,
  CredentialState,
  CredentialType,
} from '../storage/credentials.ts';
import type { CutoffKind, CutoffRecord } from '../storage/cutoffs.ts';
import type {
  Cadence,
  Environment,
  IdentityKind,
  IdentityRecord,
  IdentityState,
} from '../storage/identities.ts';
import type { ResourceServerRecord, ScopeDefinition, SigningAlgorithm } from '../storage/resource-servers.ts';
import type { TrustedIssuerRecord } from '../storage/trusted-issuers.ts';
import { ISSUER_KINDS } from './federation-rule.ts';

/**
 * Records as people and programs see them: in answers of the admin API, in the before and after of audit events, in
 * dry runs. Nothing secret and no digest is in any of them.
 */

export interface IdentityView {
  id: string;
  client_id: string;
  name: string;
  kind: IdentityKind;
  environment: Environment;
  purpose: string;
  owner: { person: string; backup: string | null; team: string | null };
  sensitivity: number;
  cadence: Cadence;
  state: IdentityState;
  state_reason: string | null;
  security_stop: boolean;
  built_in: boolean;
  expires_at: string;
  created_at: string;
  updated_at: string;
  version: number;
}

export function identityView(record: IdentityRecord): IdentityView {
  const { person, backup, team } = record.owner;
  return {
    id: record.id,
    client_id: record.clientId,
    name: record.name,
    kind: record.kind,
    environment: record.environment,
    purpose: record.purpose,
    owner: { person, backup: backup ?? null, team: team ?? null },
    sensitivity: record.sensitivity,
    cadence: record.cadence,
    state: record.state,
    state_reason: record.stateReason ?? null,
    security_stop: record.securityStop,
    built_in: record.builtIn,
    expires_at: rfc3339(record.expiresAt),
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

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
  /** SHA-256 of the authorities and of their revocation lists, base64url. */
  ca_thumbprints?: string[];
  crl_thumbprints?: string[];
  /** PEM; only of self_signed_tls_client_auth. */
  certificate?: string;
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
    not_before: rfc3339(record.notBeforeAt),
    expires_at: rfc3339(record.expiresAt),
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
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
    ca_thumbprints: thumbprints(ca, 'CERTIFICATE'),
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

export interface ResourceServerView {
  id: string;
  identifier: string;
  name: string;
  scopes: ScopeDefinition[];
  token: {
    format: 'jwt' | 'opaque';
    lifetime: number | null;
    signing_alg: SigningAlgorithm;
    status_list: boolean;
    typ: 'at+jwt' | 'JWT';
  };
  sender_constraint: 'none' | 'dpop' | 'mtls';
  state: 'active' | 'deleted';
  built_in: boolean;
  created_at: string;
  updated_at: string;
  version: number;
}

export function resourceServerView(record: ResourceServerRecord): ResourceServerView {
  const { format, lifetime, signingAlg, typ, statusList = false } = record.token;
  return {
    id: record.id,
    identifier: record.identifier,
    name: record.name,
    scopes: record.scopes.map(({ name, description, sensitivity }) => ({ name, description, sensitivity })),
    token: { format, lifetime: lifetime ?? null, signing_alg: signingAlg, typ, status_list: statusList },
    sender_constraint: record.senderConstraint,
    state: record.state,
    built_in: record.builtIn,
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

export interface TrustedIssuerView {
  id: string;
  issuer: string;
  name: string;
  kind: TrustedIssuerRecord['kind'];
  jwks_uri: string | null;
  jwks: Record<string, unknown> | null;
  ca: string | null;
  algorithms: string[];
  audience: string | null;
  max_token_age: number;
  single_use: boolean;
  required_conditions: string[];
  state: TrustedIssuerRecord['state'];
  created_at: string;
  updated_at: string;
  version: number;
}

export function trustedIssuerView(record: TrustedIssuerRecord): TrustedIssuerView {
  const { keys } = record;
  return {
    id: record.id,
    issuer: record.issuer,
    name: record.name,
    kind: record.kind,
    jwks_uri: keys.from === 'jwks_uri' ? keys.uri : null,
    jwks: keys.from === 'jwks' ? { ...keys.jwks } : null,
    ca: record.ca ?? null,
    algorithms: [...record.algorithms],
    audience: record.audience ?? null,
    max_token_age: record.maxTokenAge,
    single_use: record.singleUse,
    required_conditions: [...ISSUER_KINDS[record.kind].pins],
    state: record.state,
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

export interface AccessView {
  id: string;
  identity: string;
  client_id: string;
  resource_server: string;
  resource: string;
  scopes: string[];
  justification: string;
  state: AccessRecord['state'];
  requested_by: string;
  approved_by: string | null;
  approved_at: string | null;
  token_lifetime: number | null;
  expires_at: string;
  created_at: string;
  updated_at: string;
  version: number;
}

export function accessView(record: AccessRecord, clientId: string, identifier: string): AccessView {
  return {
    id: record.id,
    identity: record.identityId,
    client_id: clientId,
    resource_server: record.resourceServerId,
    resource: identifier,
    scopes: [...record.scopes],
    justification: record.justification,
    state: record.state,
    requested_by: record.requestedBy,
    approved_by: record.approvedBy ?? null,
    approved_at: record.approvedAt === undefined ? null : rfc3339(record.approvedAt),
    token_lifetime: record.tokenLifetime ?? null,
    expires_at: rfc3339(record.expiresAt),
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

export interface CutoffView {
  id: string;
  cursor: number;
  kind: CutoffKind;
  target: string;
  not_before: string;
  reason: string;
  ordered_by: string;
  created_at: string;
}

export function cutoffView(record: CutoffRecord): CutoffView {
  return {
    id: record.id,
    cursor: record.cursor,
    kind: record.kind,
    target: record.target,
    not_before: rfc3339(record.notBefore * 1000),
    reason: record.reason,
    ordered_by: record.orderedBy,
    created_at: rfc3339(record.createdAt),
  };
}

/** Epoch ms as RFC 3339 in UTC. */
export function rfc3339(at: number): string {
  return new Date(at).toISOString();
}
