import { expect, it } from 'vitest';
import type { IdempotencyRecord } from '../idempotency.ts';
import { T0, freshId } from './records.ts';
import type { Subject } from './subject.ts';

function answer(overrides: Partial<IdempotencyRecord> = {}): IdempotencyRecord {
  return {
    principal: 'payments',
    key: freshId('key'),
    fingerprint: 'f1',
    status: 201,
    response: '{"id":"idn_1"}',
    expiresAt: T0 + 1000,
    ...overrides,
  };
}

export function idempotencyContract({ storage, clock }: Subject): void {
  it('finds the answer until it expires', async () => {
    const record = answer();
    await storage().idempotency.insert(record);
    const find = (now: number) => storage().idempotency.find(record.principal, record.key, now);
    expect(await find(T0)).toStrictEqual(record);
    expect(await find(T0 + 999)).toStrictEqual(record);
    expect(await find(T0 + 1000)).toBeUndefined();
    expect(await storage().idempotency.find('fraud', record.key, T0)).toBeUndefined();
    expect(await storage().idempotency.find(record.principal, 'other', T0)).toBeUndefined();
  });

  it('refuses a key that is there and takes one that has expired', async () => {
    const record = answer();
    await storage().idempotency.insert(record);
    const again = { ...record, fingerprint: 'f2', expiresAt: T0 + 5000 };
    await expect(storage().idempotency.insert(again)).rejects.toMatchObject({
      fault: 'unique_conflict',
      detail: 'idempotency_key',
    });
    await storage().idempotency.insert({ ...record, principal: 'fraud' });
    clock.set(T0 + 1000);
    await storage().idempotency.insert(again);
    clock.set(T0);
    expect(await storage().idempotency.find(record.principal, record.key, T0)).toStrictEqual(again);
  });

  it('undoes the whole write when the key is there', async () => {
    const record = answer();
    await storage().idempotency.insert(record);
    const name = freshId('setting');
    const second = storage().transaction(async ({ settings, idempotency }) => {
      await settings.set(name, 'written');
      await idempotency.insert(record);
    });
    await expect(second).rejects.toMatchObject({ fault: 'unique_conflict' });
    expect(await storage().settings.get(name)).toBeUndefined();
  });

  it('sweeps what has expired', async () => {
    await storage().idempotency.sweep(T0 + 1e6);
    const kept = answer({ expiresAt: T0 + 11 });
    await storage().idempotency.insert(answer({ expiresAt: T0 + 10 }));
    await storage().idempotency.insert(kept);
    expect(await storage().idempotency.sweep(T0 + 10)).toBe(1);
    expect(await storage().idempotency.find(kept.principal, kept.key, T0)).toStrictEqual(kept);
  });
}
