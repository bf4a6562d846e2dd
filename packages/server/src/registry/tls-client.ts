import type { CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import {
  BUILT_IN_CA,
  type CertificateMaterial,
  certificateRule,
  requireCurrent,
  requireNewer,
} from './certificate-rule.ts';
import type { Tell } from './change-rules.ts';
import { type AgeDeps, addCredential, type NewCredential } from './new-credential.ts';
import type { PolicyStores } from './policy/require-policies.ts';
import { RegistryRefusal } from './refusal.ts';

/** Which certificates are a client's, as somebody wants it registered: RFC 8705 §2.1.2. Nothing of it is secret. */
export interface AskedTlsClient {
  readonly field: CertificateMaterial['field'];
  readonly value: string;
  /** PEM, not checked yet. */
  readonly ca: string;
  readonly crl: string | undefined;
}

export interface NewTlsClient extends AskedTlsClient, NewCredential {}

export async function createTlsClient(
  deps: AgeDeps,
  stores: PolicyStores,
  tell: Tell,
  identity: IdentityRecord,
  asked: NewTlsClient,
): Promise<CredentialRecord> {
  const material = materialOf(asked);
  requireCurrent(certificateRule(material), deps.clock.now());
  return await addCredential(deps, stores, tell, identity, asked, { material, name: asked.value });
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
  if (before.type === 'tls_client_auth' && before.ca === BUILT_IN_CA) {
    const message = 'the built-in authority says itself whom it has revoked, and takes no others beside it';
    throw new RegistryRefusal('unacceptable_certificate', message, {
      pointer: ca === undefined ? '/crl' : '/ca',
    });
  }
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
