import { requireAllowed } from '../../registry/allowed-method.ts';
import type { Tell } from '../../registry/change-rules.ts';
import { changeCredential, revokeCredential } from '../../registry/credential.ts';
import { requireMayActAs } from '../../registry/own-access.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Application } from './application.ts';
import { changedAsDeclared, createDeclared, holdsDeclared, isDeclarable } from './credential-types.ts';
import { type DeclaredCredential, endAt, fixedEnd } from './declared.ts';
import { findIdentity, identityOf } from './referenced-record.ts';

/** A secret that was made, to be shown once. */
export interface MadeSecret {
  readonly name: string;
  /** As the document names it; empty for the secret of a webhook. */
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
  const { name, proof, end } = declared;
  const record = await liveCredential(stores, identity, name, now, isDeclarable);
  if (record !== undefined && (await holdsDeclared({ application, stores }, record, proof))) {
    const expiresAt = fixedEnd(end);
    const material = changedAsDeclared(record, proof, now);
    if ((expiresAt !== undefined && expiresAt !== record.expiresAt) || material !== undefined) {
      await requireMayActAs(ceiling, stores, identity.id);
    }
    await changeCredential(deps, stores, tell, identity, record, { expiresAt, material });
    return undefined;
  }
  if (record !== undefined && (await heldBefore({ application, stores }, record, proof))) return undefined;
  await requireMayActAs(ceiling, stores, identity.id);
  requireAllowed(deps.refusedMethods, identity, proof.type);
  const common = { label: name, expiresAt: end && endAt(end, now) };
  const secret = await createDeclared({ application, stores, tell, identity, common }, proof);
  // Another proof is declared under the same label: it takes the place of the one before.
  if (record !== undefined) await revokeCredential(deps, stores, tell, identity, record);
  return secret === undefined ? undefined : { name, identity: declared.identity, secret };
}

/** Rotations of one label that are looked back on. */
const MOST_PREDECESSORS = 100;

/**
 * Whether it took the place of what is declared: a document that tells of the first key is not to undo what was rotated since,
 * by whoever uses it.
 */
async function heldBefore(
  making: Parameters<typeof holdsDeclared>[0],
  record: CredentialRecord,
  proof: DeclaredCredential['proof'],
): Promise<boolean> {
  let { predecessor } = record;
  for (let seen = 0; predecessor !== undefined && seen < MOST_PREDECESSORS; seen++) {
    const before = await making.stores.credentials.byId(predecessor.id);
    if (before === undefined || before.label !== record.label) return false;
    if (await holdsDeclared(making, before, proof)) return true;
    predecessor = before.predecessor;
  }
  return false;
}

/**
 * Whether this label of this identity (its id or client_id) has a secret already; empty: the webhook of this name. Changes
 * nothing.
 */
export async function hasLiveSecret(
  stores: Pick<Stores, 'identities' | 'credentials' | 'webhooks'>,
  identity: string,
  label: string,
  now: number,
): Promise<boolean> {
  if (identity === '') return (await stores.webhooks.byName(label)) !== undefined;
  const record = await findIdentity(stores, identity);
  return record !== undefined && (await liveCredential(stores, record, label, now, hasSecret)) !== undefined;
}

function hasSecret({ material }: CredentialRecord): boolean {
  return material.type === 'client_secret' || material.type === 'api_key';
}

/** The newest of these with this label, an active one before a suspended one. */
async function liveCredential(
  stores: Pick<Stores, 'credentials'>,
  identity: IdentityRecord,
  label: string,
  now: number,
  fits: (record: CredentialRecord) => boolean,
): Promise<CredentialRecord | undefined> {
  for (const state of ['active', 'suspended'] as const) {
    const { items } = await stores.credentials.list({ identityId: identity.id, state }, { limit: 1000 });
    const found = items.findLast((each) => each.label === label && each.expiresAt > now && fits(each));
    if (found !== undefined) return found;
  }
  return undefined;
}
