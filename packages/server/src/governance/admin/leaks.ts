import type { Changes } from '../../audit/change.ts';
import { type LeakDeps, reportLeak } from '../../registry/leak.ts';
import type { NounHandlers } from './endpoint.ts';

export function leakHandlers(deps: LeakDeps & { readonly changes: Changes }): NounHandlers<'leaks'> {
  return {
    'leaks.report': {
      kind: 'many',
      async run({ body: { secret, where, found_by: foundBy }, admin: { actor } }) {
        await deps.changes.run(actor, (stores, tell) =>
          reportLeak(deps, stores, tell, { secret, where: without(where, secret), foundBy, actor }),
        );
        return { body: { received: true as const } };
      },
      // What it would do tells whether the secret is known: a dry run says no more than the answer does.
      preview: async () => [],
    },
  };
}

/** Somebody who says where a secret was found may well say it with the line that it stands in. */
function without(where: string, secret: string): string {
  return where.replaceAll(secret, '…');
}
