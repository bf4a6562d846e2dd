import { type CutOffDeps, cutOff } from '../../registry/cut-off.ts';
import { cutoffView } from '../../registry/views.ts';
import type { Storage } from '../../storage/storage.ts';
import { numberedPage, readNumber } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';

export function cutoffHandlers(
  deps: CutOffDeps & { readonly storage: Pick<Storage, 'cutoffs'> },
): NounHandlers<'cutoffs'> {
  return {
    'cutoffs.create': {
      kind: 'write',
      async run({ body, admin }, stores, tell) {
        const record = await cutOff(deps, stores, tell, { ...body, actor: admin.actor });
        return { body: cutoffView(record) };
      },
    },

    'cutoffs.list': {
      kind: 'read',
      async run({ query }) {
        const found = await deps.storage.cutoffs.after(readNumber(query.cursor), query.limit + 1);
        const { items, next_cursor } = numberedPage(found, query.limit, (record) => record.cursor);
        return { body: { items: items.map(cutoffView), next_cursor } };
      },
    },
  };
}
