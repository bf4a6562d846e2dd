import type { Changes } from '../audit/change.ts';
import type { CredentialRecord } from '../storage/credentials.ts';
import { StorageError } from '../storage/errors.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { RuleDeps } from './change-rules.ts';
import { credentialFault } from './effective-access.ts';
import { moveIdentity } from './lifecycle.ts';
import { RegistryRefusal } from './refusal.ts';

/**
 * Puts an approved identity to work because it has just proved who it is. Resolves when that is so, or when something else
 * became of it meanwhile: who asks looks at it again.
 */
export type FirstProof = (clientId: string, credentialId: string) => Promise<void>;

/** Whether it was approved to become active with its first proof, and this credential proves it at `now` (epoch ms). */
export function awaitsFirstProof(
  identity: IdentityRecord,
  credential: CredentialRecord,
  now: number,
): boolean {
  return (
    identity.state === 'approved' &&
    identity.activation === 'first_proof' &&
    identity.expiresAt > now &&
    credentialFault(credential, now) === undefined
  );
}

export function createFirstProof(deps: RuleDeps & { readonly changes: Changes }): FirstProof {
  return async (clientId, credential) => {
    const actor = { identity: clientId, credential };
    const reason = 'it has proved who it is';
    try {
      await deps.changes.run(actor, async (stores, tell) => {
        const record = await stores.identities.byClientId(clientId);
        if (record?.state !== 'approved') return;
        await moveIdentity(deps, stores, tell, record, { move: 'activate', reason, actor, proved: true });
      });
    } catch (error) {
      // Another request of it was faster, or it may not begin: the caller sees which.
      if (error instanceof RegistryRefusal) return;
      if (error instanceof StorageError && error.fault === 'version_conflict') return;
      throw error;
    }
  };
}
