import type { CredentialRecord } from '../../storage/credentials.ts';
import { StorageError } from '../../storage/errors.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { credentialView } from '../credential-view.ts';
import { instancesSeenSince } from '../use/credential-instances.ts';
import { type RotationProgress, rotationProgress } from './progress.ts';
import { lasts, successorOf } from './rotate.ts';

export interface ProgressDeps {
  /** Seconds that tokens live. */
  readonly lifetimes: { readonly maximum: number };
}

export type ProgressStores = Pick<Stores, 'credentials' | 'credentialInstances' | 'settings'>;

/** What is known now of the rotation of a credential; undefined where it was never rotated. */
export async function readProgress(
  deps: ProgressDeps,
  stores: ProgressStores,
  identity: Pick<IdentityRecord, 'cadence'>,
  old: CredentialRecord,
  now: number,
): Promise<RotationProgress | undefined> {
  if (old.successor === undefined) return undefined;
  const successor = await successorOf(stores, old, now);
  const facts = {
    identity,
    old,
    successor,
    seenWithOld: await stores.credentialInstances.of(old.id),
    seenWithNew: await stores.credentialInstances.of(old.successor.id),
    seenSince: await instancesSeenSince(stores.settings),
    longestToken: deps.lifetimes.maximum,
  };
  return rotationProgress(facts, now);
}

/**
 * Ends the old credential of a rotation once everybody who was seen with it has moved, and no token of it is left. Nothing that
 * is in use is refused by it. The same record, and no event, while somebody has still to move.
 */
export async function retireRotated(
  deps: RuleDeps & ProgressDeps,
  stores: ProgressStores,
  tell: Tell,
  identity: IdentityRecord,
  record: CredentialRecord,
): Promise<CredentialRecord> {
  const now = deps.clock.now();
  const progress = await readProgress(deps, stores, identity, record, now);
  if (progress?.state !== 'ready') return record;
  const retired: CredentialRecord = {
    ...record,
    state: 'expired',
    expiresAt: now,
    updatedAt: now,
    version: record.version + 1,
  };
  await stores.credentials.replace(retired);
  // Read once more and held: whoever revokes it at this moment would leave the client with neither.
  const heir = await stores.credentials.hold(record.successor?.id ?? '');
  if (heir === undefined || !lasts(heir, now)) throw new StorageError('version_conflict', 'credentials');
  tell({
    type: 'credential.retired',
    resource: record.id,
    reason: `every instance that used it uses ${record.successor?.id}`,
    before: credentialView(record, identity.clientId),
    after: credentialView(retired, identity.clientId),
  });
  return retired;
}
