import type { CutoffDrill } from '@countersign/admin-api';
import type { Changes } from '../../audit/change.ts';
import { type CutOffDeps, cutOff } from '../../registry/cut-off.ts';
import { liftCutoff } from '../../registry/lift-cutoff.ts';
import { cutoffView } from '../../registry/views.ts';
import type { Storage } from '../../storage/storage.ts';
import { requirePeople } from './admin.ts';
import { type CutoffReportDeps, outlookOf, reportOf } from './cutoff-report.ts';
import { numberedPage, readNumber } from './cursor.ts';
import type { Call, NounHandlers } from './endpoint.ts';
import { endsAlso } from './ends-also.ts';
import { required } from './find-record.ts';

export function cutoffHandlers(
  deps: CutOffDeps &
    CutoffReportDeps & { readonly storage: Pick<Storage, 'cutoffs'>; readonly changes: Changes },
): NounHandlers<'cutoffs'> {
  async function drillOf({ params, body }: Call<'cutoffs.drill'>): Promise<CutoffDrill> {
    const order = required(await deps.storage.cutoffs.byId(params.id), 'cut-off');
    const report = await reportOf(deps, order);
    const exposures = report.resource_servers.flatMap(({ slowest_exposure_ms: ms }) =>
      ms === null ? [] : [ms],
    );
    return {
      cutoff: order.id,
      ...body,
      all_confirmed: report.all_confirmed,
      slowest_exposure_ms: exposures.length === 0 ? null : Math.max(...exposures),
      resource_servers: report.resource_servers.map(
        ({ identifier, confirmed, waiting, silent, slowest_exposure_ms }) => ({
          identifier,
          confirmed,
          waiting,
          silent,
          slowest_exposure_ms,
        }),
      ),
    };
  }

  return {
    'cutoffs.create': {
      kind: 'write',
      async run({ body, admin }, stores, tell) {
        const record = await cutOff(deps, stores, tell, { ...body, actor: admin.actor });
        return { body: cutoffView(record), location: `/v1/cutoffs/${record.id}` };
      },
      foresee: async ({ body }, changes) => ({
        ...endsAlso(changes, body.id),
        outlook: await outlookOf(deps, { kind: body.kind, target: body.id }),
      }),
    },

    'cutoffs.list': {
      kind: 'read',
      async run({ query }) {
        const found = await deps.storage.cutoffs.after(readNumber(query.cursor), query.limit + 1);
        const { items, next_cursor } = numberedPage(found, query.limit, (record) => record.cursor);
        return { body: { items: items.map(cutoffView), next_cursor } };
      },
    },

    'cutoffs.get': {
      kind: 'read',
      async run({ params }) {
        const order = required(await deps.storage.cutoffs.byId(params.id), 'cut-off');
        return { body: await reportOf(deps, order) };
      },
    },

    'cutoffs.drill': {
      kind: 'many',
      async run(call) {
        const drill = await drillOf(call);
        await deps.changes.run(call.admin.actor, async (_stores, tell) =>
          tell({ type: 'cutoff.drilled', resource: drill.cutoff, after: drill }),
        );
        return { body: drill };
      },
      async preview(call) {
        await drillOf(call);
        return [];
      },
    },

    'cutoffs.lift': {
      kind: 'write',
      async run({ params, body, admin }, stores, tell) {
        requirePeople(admin);
        const order = required(await stores.cutoffs.byId(params.id), 'cut-off');
        await liftCutoff(deps, stores, tell, order, { reason: body.reason, actor: admin.actor });
        return { body: cutoffView(order) };
      },
    },
  };
}
