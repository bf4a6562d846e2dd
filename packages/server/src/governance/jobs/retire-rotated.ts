import type { Actor, Changes } from '../../audit/change.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import { type ProgressDeps, readProgress, retireRotated } from '../../registry/rotation/retire.ts';
import type { CredentialInstances } from '../../registry/use/credential-instances.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Job } from './job.ts';
import { sweep } from './sweep.ts';

export interface RetireRotatedDeps extends RuleDeps, ProgressDeps {
  readonly storage: Pick<Storage, 'credentials' | 'identities' | 'credentialInstances' | 'settings'>;
  readonly instances: Pick<CredentialInstances, 'flush'>;
  readonly changes: Changes;
}

const EVERY_MS = 60_000;
/** Nobody waits for the end of a rotation: all that are under way are read for it. */
const LOOK_EVERY_MS = 300_000;
const ACTOR: Actor = { identity: 'countersign' };

/** Writes who was seen with which credential, and ends the old one of each rotation in which everybody has moved. */
export function retireRotatedJob(deps: RetireRotatedDeps): Job {
  let lookAt = 0;
  return {
    name: 'retire-rotated',
    everyMs: EVERY_MS,
    async run(signal) {
      await deps.instances.flush();
      const now = deps.clock.now();
      if (now < lookAt) return;
      lookAt = now + LOOK_EVERY_MS;
      await sweep(
        {
          page: (after, limit) => deps.storage.credentials.rotating({ limit, after }),
          carryOut: async (ids) => {
            for (const id of ids) await retire(deps, id);
          },
        },
        signal,
      );
    },
  };
}

/** Most rotations are not over: they are read without a transaction, and looked at once more in one. */
async function retire(deps: RetireRotatedDeps, id: string): Promise<void> {
  const { storage } = deps;
  const record = await storage.credentials.byId(id);
  const identity = record && (await storage.identities.byId(record.identityId));
  if (record === undefined || identity === undefined) return;
  const progress = await readProgress(deps, storage, identity, record, deps.clock.now());
  if (progress?.state !== 'ready') return;
  await deps.changes.run(ACTOR, async (stores, tell) => {
    const current = await stores.credentials.byId(id);
    const owner = await stores.identities.byId(identity.id);
    if (current !== undefined && owner !== undefined) await retireRotated(deps, stores, tell, owner, current);
  });
}
