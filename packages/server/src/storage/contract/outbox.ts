import { expect, it } from 'vitest';
import type { OutboxRecord } from '../outbox.ts';
import { T0, freshId } from './records.ts';
import type { Subject } from './subject.ts';

function event(createdAt: number): OutboxRecord {
  const eventId = freshId('evt');
  return { eventId, body: `{"id":"${eventId}","text":"ä \\u0000"}`, createdAt };
}

export function outboxContract({ storage }: Subject): void {
  it('gives the oldest first, those of one instant in the order in which they were written', async () => {
    const late = event(T0 + 2);
    const second = { ...event(T0 + 1), eventId: 'evt_b' };
    const third = { ...event(T0 + 1), eventId: 'evt_a' };
    const future = event(T0 + 3);
    for (const record of [late, second, third, future]) await storage().outbox.insert(record);
    expect(await storage().outbox.pending(T0 + 2, 10)).toStrictEqual([second, third, late]);
    expect(await storage().outbox.pending(T0 + 2, 2)).toStrictEqual([second, third]);
    await storage().outbox.delete([second.eventId, 'evt_none', late.eventId]);
    expect(await storage().outbox.pending(T0 + 9, 10)).toStrictEqual([third, future]);
    await storage().outbox.delete([]);
    await storage().outbox.delete([third.eventId, future.eventId]);
    expect(await storage().outbox.pending(T0 + 9, 10)).toEqual([]);
  });

  it('is written with the change it tells of or not at all', async () => {
    const record = event(T0);
    const failing = storage().transaction(async ({ outbox }) => {
      await outbox.insert(record);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await storage().outbox.pending(T0, 10)).toEqual([]);
  });

  it('deletes thousands at once', async () => {
    const records = Array.from({ length: 1500 }, () => event(T0));
    await storage().transaction(async ({ outbox }) => {
      for (const record of records) await outbox.insert(record);
    });
    expect(await storage().outbox.pending(T0, 5000)).toHaveLength(1500);
    await storage().outbox.delete(records.map((record) => record.eventId));
    expect(await storage().outbox.pending(T0, 5000)).toEqual([]);
  });
}
