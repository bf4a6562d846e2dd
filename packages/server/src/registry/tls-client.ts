import { newId } from '../ids.ts';
import type { CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import {
  type CertificateMaterial,
  certificateRule,
  requireCurrent,
  requireNewer,
} from './certificate-rule.ts';
import { narrowEnd, type RuleDeps, type Tell } from './change-rules.ts';
import { type AgeDeps, latestEnd, requireOpen, requireRoom } from './credential.ts';
import { RegistryRefusal } from './refusal.ts';
import { credentialView } from './views.ts';

/** Which certificates are a client's, as somebody wants it registered: RFC 8705 §2.1.2. Nothing of it is secret. */
export interface AskedTlsClient {
  readonly field: CertificateMaterial['field'];
  readonly value: string;
  /** PEM, not checked yet. */
  readonly ca: string;
  readonly crl: string | undefined;
}

export interface NewTlsClient extends AskedTlsClient {
  /** To tell credentials apart; made from the subject when undefined. */
  readonly label: string | undefined;
  /** Narrowed to what is allowed, which is also the default. */
  readonly expiresAt: number | undefined;
}

const MOST_LABEL_CHARS = 200;

export async function createTlsClient(
  deps: RuleDeps & AgeDeps,
  stores: Pick<Stores, 'credentials'>,
  tell: Tell,
  identity: IdentityRecord,
  asked: NewTlsClient,
): Promise<CredentialRecord> {
  const now = deps.clock.now();
  requireOpen(identity);
  const material = materialOf(asked);
  requireCurrent(certificateRule(material), now);
  await requireRoom(stores, identity);
  const latest = latestEnd(deps, identity, 'tls_client_auth', now);
  const record: CredentialRecord = {
    id: newId('crd', deps.random),
    identityId: identity.id,
    label: asked.label ?? `tls_client_auth ${asked.value}`.slice(0, MOST_LABEL_CHARS).trimEnd(),
    state: 'active',
    material,
    notBeforeAt: now,
    expiresAt: narrowEnd(now, asked.expiresAt ?? latest, latest),
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await stores.credentials.insert(record);
  tell({ type: 'credential.created', resource: record.id, after: credentialView(record, identity.clientId) });
  return record;
}

/** Undefined leaves as it is; null for `crl` takes the lists away. */
export interface TrustChange {
  readonly ca?: string | undefined;
  readonly crl?: string | null | undefined;
}

/** What the credential holds once its authorities or revocation lists are others; undefined where nothing is asked for. */
export function trustChanged(
  record: CredentialRecord,
  { ca, crl }: TrustChange,
  now: number,
): CertificateMaterial | undefined {
  if (ca === undefined && crl === undefined) return undefined;
  const before = record.material;
  if (before.type !== 'tls_client_auth') {
    const message = 'only a credential of type tls_client_auth has authorities and revocation lists';
    throw new RegistryRefusal('unacceptable_certificate', message, {
      pointer: ca === undefined ? '/crl' : '/ca',
    });
  }
  const after = materialOf({
    ...before,
    ca: ca ?? before.ca,
    crl: crl === undefined ? before.crl : (crl ?? undefined),
  });
  const rule = certificateRule(after);
  if (after.crl !== before.crl) {
    requireCurrent(rule, now);
    requireNewer(certificateRule(before), rule);
  }
  return after;
}

/** True when the record is about this subject, whatever its authorities. */
export function isTlsClient({ material }: CredentialRecord, { field, value }: AskedTlsClient): boolean {
  return material.type === 'tls_client_auth' && material.field === field && material.value === value;
}

function materialOf({ field, value, ca, crl }: AskedTlsClient): CertificateMaterial {
  return { type: 'tls_client_auth', field, value, ca, ...(crl === undefined ? {} : { crl }) };
}
