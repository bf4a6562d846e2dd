import type { TrustDomain } from '@countersign/protocol';
import { spiffeIdOfIdentity } from '../../ca/names.ts';
import type { CertificateIssuedBy } from '../../storage/certificates.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import { BUILT_IN_CA } from '../certificate-rule.ts';
import type { Tell } from '../change-rules.ts';
import { type AgeDeps, latestEnd } from '../new-credential.ts';
import type { PolicyStores } from '../policy/require-policies.ts';
import { lasts, type RotateDeps, rotateCredential } from '../rotation/rotate.ts';
import { createTlsClient } from '../tls-client.ts';

export interface CertificateCredentialDeps extends AgeDeps, RotateDeps {
  readonly trustDomain: TrustDomain;
  readonly selfRotation: boolean;
}

interface Wanted {
  readonly by: CertificateIssuedBy;
  /** Milliseconds. */
  readonly lifetime: number;
  /** The one that it was proved by. */
  readonly credential?: CredentialRecord | undefined;
}

/**
 * The credential that a certificate serves: one for all certificates of an identity, so that it is rotated, cut off and looked at as every
 * other is. Near its end it gets a successor, to which its certificates move as they are renewed.
 */
export async function certificateCredential(
  deps: CertificateCredentialDeps,
  stores: PolicyStores & Pick<Stores, 'credentials' | 'credentialMakers'>,
  tell: Tell,
  identity: IdentityRecord,
  { by, lifetime, credential: proved }: Wanted,
): Promise<CredentialRecord> {
  const now = deps.clock.now();
  const { text: value } = spiffeIdOfIdentity(deps.trustDomain, identity);
  const own = (await stores.credentials.ofIdentity(identity.id)).filter(
    (each) => isBuiltIn(each) && each.material.value === value && lasts(each, now),
  );
  // Newest first: what took another's place comes before it.
  const [newest] = own;
  const present = newest ?? (proved !== undefined && lasts(proved, now) ? proved : undefined);
  const asked = { field: 'san_uri' as const, value, ca: BUILT_IN_CA, crl: undefined };
  if (present === undefined) {
    const none = { label: undefined, expiresAt: undefined };
    return await createTlsClient(deps, stores, tell, identity, { ...asked, ...none });
  }
  const { expiresAt } = present;
  if (expiresAt - now >= lifetime || latestEnd(deps, identity, present.material, now) <= expiresAt)
    return present;
  if (by !== 'administration' && !deps.selfRotation) return present;
  const { made } = await rotateCredential(
    deps,
    stores,
    tell,
    { identity, record: present },
    {
      by: by === 'administration' ? 'administration' : 'itself',
      overlap: undefined,
      label: undefined,
      // Whoever gave it a week is not overruled by the machine itself.
      expiresAt: by === 'administration' ? undefined : now + (expiresAt - present.notBeforeAt),
    },
    async (more) => ({ record: await createTlsClient(deps, stores, tell, identity, { ...asked, ...more }) }),
  );
  // Whoever made the first one stands behind it, however often it is replaced.
  const maker = by === 'administration' ? undefined : await stores.credentialMakers.of(present.id);
  if (maker !== undefined) await stores.credentialMakers.note(made.record.id, maker);
  return made.record;
}

type BuiltIn = CredentialRecord & {
  readonly material: Extract<CredentialRecord['material'], { type: 'tls_client_auth' }>;
};

/** Whether it is one that certificates of the deployment's own authority serve. */
export function isBuiltIn(record: CredentialRecord): record is BuiltIn {
  return record.material.type === 'tls_client_auth' && record.material.ca === BUILT_IN_CA;
}

/** Whether the certificate of this number is one of those that serve the credential no more. */
export function isRevokedFor(record: CredentialRecord, serialNumber: string | undefined): boolean {
  if (!isBuiltIn(record)) return false;
  return record.material.revoked?.some((each) => each.serialNumber === serialNumber) === true;
}
