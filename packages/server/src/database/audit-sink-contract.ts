import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuditEvent, encodeEvent } from '../audit/event.ts';
import type { AuditSink } from '../audit/sink.ts';

const START = Date.parse('2026-11-21T21:54:00.000Z');
let count = 0;

/** An event of the contract suite, with an id and an instant of its own. */
export function auditEvent(overrides: Partial<AuditEvent> = {}): AuditEvent {
  count++;
  return {
    id: `evt_${String(count).padStart(20, '0')}`,
    at: new Date(START + count).toISOString(),
    type: 'token.issued',
    outcome: 'success',
    request_id: `req_${count}`,
    identity: 'payments',
    resource: 'https://fraud.example',
    jti: `jti-${count}`,
    ...overrides,
  };
}

/** What the log must give back for an event. */
export function logged(event: AuditEvent, seq: number): unknown {
  return JSON.parse(encodeEvent(event, seq));
}

/**
 * What the port says of every sink.
 *
 * @param open gives an empty sink; the suite closes it
 */
export function auditSinkContract(name: string, open: () => Promise<AuditSink>): void {
  describe(`${name} keeps the contract of audit sinks`, () => {
    let opened: AuditSink | undefined;
    const written: AuditEvent[] = [];
    const sink = (): AuditSink => {
      if (opened === undefined) throw new Error('the sink was not opened');
      return opened;
    };
    const commit = async (...events: AuditEvent[]): Promise<void> => {
      await sink().commit(events);
      written.push(...events);
    };
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(async () => {
      await opened?.close();
    });

    it('numbers events from 1 in the order of the batches', async () => {
      expect(await sink().find({}, { afterSeq: 0, limit: 10 })).toEqual([]);
      await commit(auditEvent(), auditEvent(), auditEvent());
      await commit(auditEvent());
      const found = await sink().find({}, { afterSeq: 0, limit: 10 });
      expect(found).toEqual(written.map((event, index) => logged(event, index + 1)));
      expect(await sink().find({}, { afterSeq: 2, limit: 1 })).toEqual(found.slice(2, 3));
      expect(await sink().find({}, { afterSeq: 4, limit: 10 })).toEqual([]);
    });

    it('finds by each property, ascending', async () => {
      const one = auditEvent({
        type: 'token.refused',
        outcome: 'refused',
        identity: 'ghost',
        reason: 'unknown_client',
      });
      const two = auditEvent({ identity: 'ghost', request_id: one.request_id, resource: 'idn_1' });
      await commit(one, auditEvent(), two);
      const ids = async (filter: Parameters<AuditSink['find']>[0]): Promise<string[]> =>
        (await sink().find(filter, { afterSeq: 0, limit: 1000 })).map((event) => event.id);
      expect(await ids({ identity: 'ghost' })).toEqual([one.id, two.id]);
      expect(await ids({ type: 'token.refused' })).toEqual([one.id]);
      expect(await ids({ outcome: 'refused' })).toEqual([one.id]);
      expect(await ids({ jti: two.jti })).toEqual([two.id]);
      const exchanged = auditEvent({ parent: two.jti, lifetime: 60 });
      await commit(exchanged);
      expect(await ids({ parent: two.jti })).toEqual([exchanged.id]);
      expect(await ids({ parent: exchanged.jti })).toEqual([]);
      expect(await ids({ requestId: one.request_id })).toEqual([one.id, two.id]);
      expect(await ids({ resource: 'idn_1' })).toEqual([two.id]);
      expect(await ids({ requestId: one.request_id, outcome: 'success' })).toEqual([two.id]);
      expect(await ids({ identity: 'GHOST' })).toEqual([]);
      const from = Date.parse(one.at);
      expect(await ids({ from, to: from + 1 })).toEqual([one.id]);
      expect(await ids({ from, to: from })).toEqual([]);
      expect(await ids({ from, identity: 'ghost' })).toEqual([one.id, two.id]);
    });

    it('gives back whatever text an event holds', async () => {
      const odd = auditEvent({
        identity: 'a"b\\c\u0000\u001f\u2028ß𝄞',
        scopes_asked: '"type":"forged"',
        resource: 'https://x.example/,"seq":1,',
        detail: '{"after":{"id":"evt_forged","list":[1,{"jti":"x"},null,true],"text":"}\\"]"},"before":null}',
      });
      await commit(odd);
      const seq = written.length;
      expect(await sink().find({ resource: odd.resource }, { afterSeq: 0, limit: 9 })).toEqual([
        logged(odd, seq),
      ]);
      expect(await sink().find({ jti: 'x' }, { afterSeq: 0, limit: 9 })).toEqual([]);
      expect(await sink().known(['evt_forged', odd.id])).toEqual(new Set([odd.id]));
    });

    it('knows which event ids it holds', async () => {
      const event = auditEvent();
      expect(await sink().known([event.id])).toEqual(new Set());
      await commit(event);
      expect(await sink().known([event.id, 'evt_none'])).toEqual(new Set([event.id]));
      expect(await sink().known([])).toEqual(new Set());
    });

    it('takes large batches and large events', async () => {
      const events = Array.from({ length: 2000 }, () => auditEvent());
      const large = auditEvent({ detail: `{"after":"${'ä'.repeat(2_000_000)}"}` });
      await commit(...events, large);
      const page = await sink().find({}, { afterSeq: written.length - 2, limit: 5 });
      expect(page.map((event) => event.id)).toEqual([events.at(-1)?.id, large.id]);
      expect((await sink().find({}, { afterSeq: 0, limit: 1000 })).length).toBe(1000);
    });
  });
}
