import type { AuditLog } from '../../audit/log.ts';
import { numberedPage, readNumber } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';

export function auditHandlers(deps: { readonly log: Pick<AuditLog, 'find'> }): NounHandlers<'audit'> {
  return {
    'audit.events': {
      kind: 'read',
      async run({ query }) {
        const filter = {
          type: query.type,
          identity: query.identity,
          jti: query.jti,
          parent: query.parent,
          requestId: query.request_id,
          resource: query.resource,
          outcome: query.outcome,
          from: query.from === undefined ? undefined : Date.parse(query.from),
          to: query.to === undefined ? undefined : Date.parse(query.to),
        };
        const page = { afterSeq: readNumber(query.cursor), limit: query.limit + 1 };
        const found = await deps.log.find(filter, page);
        return { body: numberedPage(found, query.limit, (event) => event.seq) };
      },
    },
  };
}
