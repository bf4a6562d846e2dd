import { expect, it } from 'vitest';
import type { MailOutcome, MailRecord } from '../mails.ts';
import { freshId, T0 } from './records.ts';
import type { Subject } from './subject.ts';

function mailRecord(overrides: Partial<MailRecord> = {}): MailRecord {
  return {
    id: freshId('mal'),
    kind: 'notice',
    recipient: 'owner:idn_x',
    dedupe: undefined,
    subject: 'payments is suspended',
    body: 'payments is suspended: é\n',
    state: 'waiting',
    attempts: 0,
    nextAt: T0,
    lastError: undefined,
    createdAt: T0,
    finishedAt: undefined,
    ...overrides,
  };
}

const SENT: MailOutcome = { state: 'sent', nextAt: T0 + 1, lastError: undefined, finishedAt: T0 + 1 };

export function mailContract({ storage }: Subject): void {
  async function mail(overrides: Partial<MailRecord> = {}): Promise<MailRecord> {
    const record = mailRecord(overrides);
    expect(await storage().mails.insert(record)).toBe(true);
    return record;
  }

  it('gives what is due, the longest overdue first', async () => {
    const { mails } = storage();
    const late = await mail({ nextAt: T0 - 1 });
    const early = await mail({ nextAt: T0 - 9, kind: 'digest', recipient: 'person:ada' });
    await mail({ nextAt: T0 + 1 });
    expect(await mails.due(T0 - 1, 10)).toStrictEqual([early, late]);
    expect(await mails.due(T0 - 1, 1)).toStrictEqual([early]);
    expect(await mails.byId(late.id)).toStrictEqual(late);
  });

  it('takes what is never to be told twice once, however many ask for it, and after it was sent', async () => {
    const { mails } = storage();
    const twins = Array.from({ length: 6 }, () => mailRecord({ dedupe: 'digest:2026-11-30:ada' }));
    const taken = await Promise.all(twins.map((each) => mails.insert(each)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    const first = twins[taken.indexOf(true)] as MailRecord;
    await mails.claim(first.id, 0, T0 + 60_000);
    await mails.settle(first.id, 1, SENT);
    expect(await mails.insert(mailRecord({ dedupe: first.dedupe }))).toBe(false);
    await mail();
    await mail();
  });

  it('is taken back with the transaction that it is written in', async () => {
    const { mails } = storage();
    const record = mailRecord({ dedupe: 'x' });
    const failing = storage().transaction(async (stores) => {
      await stores.mails.insert(record);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await mails.byId(record.id)).toBeUndefined();
    expect(await mails.insert(record)).toBe(true);
  });

  it('gives each attempt to exactly one of those who ask for it', async () => {
    const { mails } = storage();
    const { id } = await mail();
    const claims = await Promise.all(Array.from({ length: 8 }, () => mails.claim(id, 0, T0 + 60_000)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await mails.claim(id, 1, T0 + 120_000)).toBe(true);
    await mails.settle(id, 1, SENT);
    expect(await mails.byId(id)).toMatchObject({ state: 'waiting', attempts: 2 });
    await mails.settle(id, 2, { state: 'waiting', nextAt: T0 + 5, lastError: 'busy', finishedAt: undefined });
    expect(await mails.byId(id)).toMatchObject({ state: 'waiting', nextAt: T0 + 5, lastError: 'busy' });
    expect(await mails.claim(id, 2, T0)).toBe(true);
    await mails.settle(id, 3, SENT);
    expect(await mails.claim(id, 3, T0)).toBe(false);
  });

  it('gives up what was tried and is old, and nothing else', async () => {
    const { mails } = storage();
    const [at, tried] = [T0 - 1e10, { attempts: 1 }];
    const old = await mail({ ...tried, createdAt: at });
    const told = await mail({ ...tried, createdAt: at, lastError: 'it is away' });
    const others = [await mail({ createdAt: at }), await mail({ ...tried, createdAt: at + 1 })];
    expect(await mails.giveUp(at + 1, T0, 'no server', 1)).toBe(1);
    expect(await mails.giveUp(at + 1, T0, 'no server', 5)).toBe(1);
    const gone = { state: 'given_up', finishedAt: T0 };
    expect(await mails.byId(old.id)).toStrictEqual({ ...old, ...gone, lastError: 'no server' });
    expect(await mails.byId(told.id)).toStrictEqual({ ...told, ...gone });
    for (const each of others) expect(await mails.byId(each.id)).toStrictEqual(each);
  });

  it('forgets what was finished long ago', async () => {
    const { mails } = storage();
    const old = await mail({ state: 'sent', finishedAt: T0 - 10 });
    const young = await mail({ state: 'given_up', finishedAt: T0 });
    const waits = await mail({ createdAt: 0 });
    expect(await mails.forget(T0, 1000)).toBe(1);
    expect(await mails.byId(old.id)).toBeUndefined();
    for (const each of [young, waits]) expect(await mails.byId(each.id)).toStrictEqual(each);
  });
}
