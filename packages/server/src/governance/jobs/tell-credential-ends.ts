import type { Actor, Changes } from '../../audit/change.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import { credentialView } from '../../registry/credential-view.ts';
import type { EndingCredential } from '../../storage/credentials.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Job } from './job.ts';
import { sweep } from './sweep.ts';

export interface TellCredentialEndsDeps extends RuleDeps {
  readonly storage: Pick<Storage, 'credentials'>;
  readonly changes: Changes;
  /** Days before the end of a credential at which it is told, once each; descending. */
  readonly credentialExpiring: readonly number[];
}

const EVERY_MS = 600_000;
const DAY_MS = 86_400_000;
const ACTOR: Actor = { identity: 'countersign' };

/**
 * Tells of credentials that end soon, once at each threshold: an event that notices carry to whom it concerns. Of two thresholds that are
 * passed already the later one alone is told, and none that is as long as the whole life of the credential: that was known
 * when it was made.
 */
export function tellCredentialEndsJob(deps: TellCredentialEndsDeps): Job {
  return {
    name: 'tell-credential-ends',
    everyMs: EVERY_MS,
    async run(signal) {
      const now = deps.clock.now();
      let after = now;
      for (const days of deps.credentialExpiring.toReversed()) {
        const until = now + days * DAY_MS;
        const soon = { after, until, days };
        const seen = new Map<string, EndingCredential>();
        await sweep(
          {
            page: async (position, limit) => {
              const rows = await deps.storage.credentials.endingSoon(soon, { limit, after: position });
              seen.clear();
              for (const row of rows) if (row.at - row.createdAt > days * DAY_MS) seen.set(row.id, row);
              return rows;
            },
            carryOut: async (ids) => {
              const due = ids.flatMap((id) => seen.get(id) ?? []);
              if (due.length > 0) await tellThose(deps, due, days);
            },
          },
          signal,
        );
        after = until;
      }
    },
  };
}

/** Two nodes at once: the row of the credential lets one of them tell. */
async function tellThose(
  deps: TellCredentialEndsDeps,
  due: readonly EndingCredential[],
  days: number,
): Promise<void> {
  await deps.changes.run(ACTOR, async (stores, tell) => {
    for (const { id } of due) {
      const record = await stores.credentials.byId(id);
      const identity = record && (await stores.identities.byId(record.identityId));
      if (record?.state !== 'active' || identity === undefined) continue;
      if (record.expiresAt > deps.clock.now() + days * DAY_MS) continue;
      if (!(await stores.credentials.tellEnd(id, record.expiresAt, days))) continue;
      const after = { ...credentialView(record, identity.clientId), days };
      tell({ type: 'credential.expiring', resource: id, reason: `ends within ${days} days`, after });
    }
  });
}
