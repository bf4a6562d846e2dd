import { StorageError } from '../storage/errors.ts';

/** Each unique index, what SQLite calls it in its message, and the property that the port names for it. */
const UNIQUE: readonly { readonly index: string; readonly columns: string; readonly detail: string }[] = [
  { index: 'identities_client_id', columns: 'identities.client_id', detail: 'client_id' },
  { index: 'credentials_public_id', columns: 'credentials.public_id', detail: 'public_id' },
  { index: 'resource_servers_identifier', columns: 'resource_servers.identifier', detail: 'identifier' },
  { index: 'trusted_issuers_issuer', columns: 'trusted_issuers.issuer', detail: 'issuer' },
  { index: 'trusted_issuers_people', columns: 'trusted_issuers.kind', detail: 'people' },
  {
    index: 'access_identity_resource_server',
    columns: 'access.identity_id, access.resource_server_id',
    detail: 'identity_resource_server',
  },
  { index: 'people_handle', columns: 'people.handle_key', detail: 'handle' },
  { index: 'people_email', columns: 'people.email_key', detail: 'email' },
  { index: 'people_external_id', columns: 'people.external_id', detail: 'external_id' },
  { index: 'teams_name', columns: 'teams.name_key', detail: 'name' },
  { index: 'ownership_offers_open', columns: 'ownership_offers.identity_id', detail: 'open_offer' },
  { index: 'findings_kind_subject', columns: 'findings.kind, findings.subject_id', detail: 'kind_subject' },
  {
    index: 'proposals_kind_subject',
    columns: 'proposals.kind, proposals.subject_id',
    detail: 'kind_subject',
  },
  { index: 'approval_rules_name', columns: 'approval_rules.name', detail: 'name' },
  { index: 'policies_name', columns: 'policies.name', detail: 'name' },
  {
    index: 'policy_exceptions_policy_identity',
    columns: 'policy_exceptions.identity_id, policy_exceptions.policy_id',
    detail: 'policy_identity',
  },
  { index: 'webhooks_name', columns: 'webhooks.name', detail: 'name' },
  { index: 'approval_requests_subject_id', columns: 'approval_requests.subject_id', detail: 'subject' },
  {
    index: 'certificate_authorities_active',
    columns: 'certificate_authorities.role',
    detail: 'active_issuing',
  },
  {
    index: 'certificates_serial_number',
    columns: 'certificates.serial_number',
    detail: 'serial_number',
  },
  { index: 'signing_keys_active_alg', columns: 'signing_keys.alg, signing_keys.state', detail: 'active_alg' },
];

/** The fault for a violated unique index of PostgreSQL (its name), `id` for a primary key. */
export function uniqueConflict(index: string, cause: unknown): StorageError {
  const detail = UNIQUE.find((entry) => entry.index === index)?.detail ?? 'id';
  return new StorageError('unique_conflict', detail, cause);
}

/** The same for SQLite, which names the columns. */
export function uniqueConflictOfColumns(columns: string, cause: unknown): StorageError {
  const detail = UNIQUE.find((entry) => entry.columns === columns)?.detail ?? 'id';
  return new StorageError('unique_conflict', detail, cause);
}

export function unavailable(detail: string, cause?: unknown): StorageError {
  return new StorageError('unavailable', detail, cause);
}
