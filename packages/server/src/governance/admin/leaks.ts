import type { Changes } from '../../audit/change.ts';
import { type LeakDeps, reportLeak } from '../../registry/leak.ts';
import { StorageError } from '../../storage/errors.ts';
import type { NounHandlers } from './endpoint.ts';

export function leakHandlers(deps: LeakDeps & { readonly changes: Changes }): NounHandlers<'leaks'> {
  return {
    'leaks.report': {
      kind: 'many',
      async run({ body: { secret, where, found_by: foundBy }, admin: { actor } }) {
        const leak = {
          secret,
          where: without(where, secret),
          foundBy: foundBy === undefined ? undefined : without(foundBy, secret),
          actor,
        };
        await whileOthersChange(() =>
          deps.changes.run(actor, (stores, tell) => reportLeak(deps, stores, tell, leak)),
        );
        return { body: { received: true as const } };
      },
      // What it would do tells whether the secret is known: a dry run says no more than the answer does.
      preview: async () => [],
    },
  };
}

/** Somebody who says where a secret was found may well say it with the line that it stands in. */
function without(said: string, secret: string): string {
  return said.replaceAll(secret, '…');
}

const TRIES = 5;

/** Somebody who changes the credential at the same moment is no reason to leave it, or to answer otherwise than ever. */
async function whileOthersChange(work: () => Promise<void>): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StorageError) || error.fault !== 'version_conflict' || tried === TRIES)
        throw error;
    }
  }
}
