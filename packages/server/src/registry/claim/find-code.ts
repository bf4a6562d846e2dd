import type { Storage } from '../../storage/storage.ts';
import type { SecretHash } from '../secret-hash.ts';

/** Codes by what was shown, as the endpoint for devices looks them up. One comparison, whether or not there is such a code. */
export function createClaimCodes(deps: {
  readonly storage: Pick<Storage, 'claimCodes' | 'identities'>;
  readonly secretHash: Pick<SecretHash, 'equals'>;
}): {
  find(
    code: string,
    publicId: string,
  ): Promise<{ readonly id: string; readonly clientId: string } | undefined>;
} {
  return {
    async find(code, publicId) {
      const record = await deps.storage.claimCodes.byPublicId(publicId);
      if (!deps.secretHash.equals(code, record?.digest) || record === undefined) return undefined;
      const identity = await deps.storage.identities.byId(record.identityId);
      return identity === undefined ? undefined : { id: record.id, clientId: identity.clientId };
    },
  };
}
