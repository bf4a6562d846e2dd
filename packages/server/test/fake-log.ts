import type { AuditEvent, LoggedEvent } from '../src/audit/event.ts';
import type { AuditLog } from '../src/audit/log.ts';
import { AuditUnavailable } from '../src/audit/sink.ts';

export interface FakeLog extends AuditLog {
  readonly events: (AuditEvent & { seq: number })[];
  /** From now on the log refuses, or takes again. */
  fail(fails: boolean): void;
}

export function fakeLog(): FakeLog {
  const events: (AuditEvent & { seq: number })[] = [];
  const ids = new Set<string>();
  let fails = false;
  return {
    events,
    fail: (value) => {
      fails = value;
    },
    async append(event) {
      if (fails) throw new AuditUnavailable(new Error('disk full'));
      if (ids.has(event.id)) return;
      ids.add(event.id);
      events.push({ ...event, seq: events.length + 1 });
    },
    async find(filter, page) {
      return events
        .filter(
          (each) =>
            each.seq > page.afterSeq &&
            (filter.type === undefined || each.type === filter.type) &&
            (filter.identity === undefined || each.identity === filter.identity) &&
            (filter.jti === undefined || each.jti === filter.jti) &&
            (filter.parent === undefined || each.parent === filter.parent) &&
            (filter.requestId === undefined || each.request_id === filter.requestId) &&
            (filter.resource === undefined || each.resource === filter.resource) &&
            (filter.outcome === undefined || each.outcome === filter.outcome) &&
            (filter.from === undefined || Date.parse(each.at) >= filter.from) &&
            (filter.to === undefined || Date.parse(each.at) < filter.to),
        )
        .slice(0, page.limit)
        .map(
          ({ detail, ...rest }): LoggedEvent =>
            detail === undefined ? rest : { ...rest, detail: JSON.parse(detail) },
        );
    },
    async known(asked) {
      return new Set(asked.filter((id) => ids.has(id)));
    },
    healthy: () => !fails,
    close: async () => undefined,
  };
}
