import type { Actor, Changes } from '../../audit/change.ts';
import { expireAccess } from '../../registry/access.ts';
import type { RuleDeps, Tell } from '../../registry/change-rules.ts';
import { expireCredential } from '../../registry/credential.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { Job } from './job.ts';
import { sweep } from './sweep.ts';

export interface SweepEndsDeps extends RuleDeps {
  readonly storage: Pick<Storage, 'credentials' | 'access'>;
  readonly changes: Changes;
}

const EVERY_MS = 60_000;
const ACTOR: Actor = { identity: 'countersign' };
const MOST_AT_START = 200;

/** Credentials and accesses that are past their end say so in their state. They open nothing by then: the clock sees to that. */
export function sweepEndsJob(deps: SweepEndsDeps): Job {
  let most: number | undefined = MOST_AT_START;
  return {
    name: 'sweep-ends',
    everyMs: EVERY_MS,
    async run(signal) {
      const now = deps.clock.now();
      for (const kind of ['credentials', 'access'] as const) {
        await sweep(
          {
            page: (after, limit) => deps.storage[kind].due(now, { limit, after }),
            carryOut: (ids) =>
              deps.changes.run(ACTOR, async (stores, tell) => {
                for (const id of ids) await END[kind](deps, stores, tell, id);
              }),
            ...(most === undefined ? {} : { most }),
          },
          signal,
        );
      }
      most = undefined;
    },
  };
}

type End = (deps: SweepEndsDeps, stores: Stores, tell: Tell, id: string) => Promise<void>;

const END: { readonly [kind in 'credentials' | 'access']: End } = {
  async credentials(deps, stores, tell, id) {
    const record = await stores.credentials.byId(id);
    const identity = record && (await stores.identities.byId(record.identityId));
    if (record === undefined || identity === undefined) return;
    await expireCredential(deps, stores, tell, identity, record);
  },

  async access(deps, stores, tell, id) {
    const record = await stores.access.byId(id);
    if (record === undefined) return;
    const identity = await stores.identities.byId(record.identityId);
    const resourceServer = await stores.resourceServers.byId(record.resourceServerId);
    if (identity === undefined || resourceServer === undefined) return;
    await expireAccess(deps, stores, tell, { identity, resourceServer }, record);
  },
};
