import type { Tell } from '../../registry/change-rules.ts';
import { createClientKey, holdsClientKey } from '../../registry/client-key.ts';
import {
  type CredentialDeps,
  changeCredential,
  createClientSecret,
  revokeCredential,
} from '../../registry/credential.ts';
import { createFederatedCredential, holdsRule } from '../../registry/federated-credential.ts';
import { requireMayActAs } from '../../registry/own-access.ts';
import { createRegisteredCertificate, holdsCertificate } from '../../registry/registered-certificate.ts';
import { createTlsClient, isTlsClient, trustChanged } from '../../registry/tls-client.ts';
import type { CredentialMaterial, CredentialRecord, CredentialType } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Application } from './application.ts';
import { trustedIssuerOf } from './bring-trusted-issuer.ts';
import { DECLARABLE, type DeclaredCredential, endAt, fixedEnd } from './declared.ts';
import { findIdentity, identityOf } from './referenced-identity.ts';

/** A secret that was made, to be shown once. */
export interface MadeSecret {
  readonly name: string;
  /** As the document names it. */
  readonly identity: string;
  readonly secret: string;
}

export async function bringCredential(
  application: Application,
  stores: Stores,
  tell: Tell,
  declared: DeclaredCredential,
): Promise<MadeSecret | undefined> {
  const { deps, ceiling, now } = application;
  const identity = await identityOf(stores, declared.identity);
  const record = await liveCredential(stores, identity, declared.name, now, DECLARABLE);
  if (record !== undefined && (await isAsDeclared(deps, stores, record, declared))) {
    const expiresAt = fixedEnd(declared.end);
    const material = trustOf(record, declared, now);
    if ((expiresAt !== undefined && expiresAt !== record.expiresAt) || material !== undefined) {
      await requireMayActAs(ceiling, stores, identity.id);
    }
    await changeCredential(deps, stores, tell, identity, record, { expiresAt, material });
    return undefined;
  }
  await requireMayActAs(ceiling, stores, identity.id);
  const made = await create(application, stores, tell, identity, declared);
  // Another proof is declared under the same label: it takes the place of the one before.
  if (record !== undefined) await revokeCredential(deps, stores, tell, identity, record);
  return made;
}

async function create(
  { deps, now }: Application,
  stores: Stores,
  tell: Tell,
  identity: IdentityRecord,
  { name, identity: ref, proof, end }: DeclaredCredential,
): Promise<MadeSecret | undefined> {
  const common = { label: name, expiresAt: end && endAt(end, now) };
  if (proof.type === 'private_key_jwt') {
    await createClientKey(deps, stores, tell, identity, { ...common, ...proof });
    return undefined;
  }
  if (proof.type === 'tls_client_auth') {
    await createTlsClient(deps, stores, tell, identity, { ...common, ...proof });
    return undefined;
  }
  if (proof.type === 'self_signed_tls_client_auth') {
    await createRegisteredCertificate(deps, stores, tell, identity, { ...common, ...proof });
    return undefined;
  }
  if (proof.type === 'federated') {
    const trustedIssuer = await trustedIssuerOf(stores, proof.trustedIssuer);
    const { conditions } = proof;
    await createFederatedCredential(deps, stores, tell, identity, { ...common, trustedIssuer, conditions });
    return undefined;
  }
  const { secret } = await createClientSecret(deps, stores, tell, identity, {
    ...common,
    secret: proof.secret,
  });
  return proof.secret === undefined ? { name, identity: ref, secret } : undefined;
}

async function isAsDeclared(
  deps: CredentialDeps,
  stores: Stores,
  record: CredentialRecord,
  { proof }: DeclaredCredential,
): Promise<boolean> {
  const { material } = record;
  if (proof.type === 'private_key_jwt') return holdsClientKey(record, proof);
  if (proof.type === 'tls_client_auth') return isTlsClient(record, proof);
  if (proof.type === 'self_signed_tls_client_auth') return holdsCertificate(record, proof.certificate);
  if (proof.type === 'federated') {
    return holdsRule(record, await trustedIssuerOf(stores, proof.trustedIssuer), proof.conditions);
  }
  if (material.type !== 'client_secret') return false;
  return proof.secret === undefined || material.digest === deps.digest(proof.secret);
}

/** Other authorities or lists are a change of the same credential; undefined where they are as declared. */
function trustOf(
  record: CredentialRecord,
  { proof }: DeclaredCredential,
  now: number,
): CredentialMaterial | undefined {
  const { material } = record;
  if (proof.type !== 'tls_client_auth' || material.type !== 'tls_client_auth') return undefined;
  if (material.ca === proof.ca && material.crl === proof.crl) return undefined;
  return trustChanged(record, { ca: proof.ca, crl: proof.crl ?? null }, now);
}

/** Whether this label of this identity (its id or client_id) has a secret already. Changes nothing. */
export async function hasLiveSecret(
  stores: Pick<Stores, 'identities' | 'credentials'>,
  identity: string,
  label: string,
  now: number,
): Promise<boolean> {
  const record = await findIdentity(stores, identity);
  return (
    record !== undefined &&
    (await liveCredential(stores, record, label, now, ['client_secret'])) !== undefined
  );
}

/** The newest of these types with this label, an active one before a suspended one. */
async function liveCredential(
  stores: Pick<Stores, 'credentials'>,
  identity: IdentityRecord,
  label: string,
  now: number,
  types: readonly CredentialType[],
): Promise<CredentialRecord | undefined> {
  for (const state of ['active', 'suspended'] as const) {
    const { items } = await stores.credentials.list({ identityId: identity.id, state }, { limit: 1000 });
    const found = items.findLast(
      (each) => each.label === label && each.expiresAt > now && types.includes(each.material.type),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}
