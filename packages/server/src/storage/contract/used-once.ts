import { expect, it } from 'vitest';
import { T0, freshId } from './records.ts';
import type { Subject } from './subject.ts';

export function usedOnceContract({ storage, clock }: Subject): void {
  it('is true for one of 200 parallel claims', async () => {
    const id = freshId('jti');
    const claims = await Promise.all(
      Array.from({ length: 200 }, () => storage().usedOnce.claim('jti', id, T0 + 1000, 'payments')),
    );
    expect(claims.filter((claim) => claim)).toHaveLength(1);
  });

  it('goes on while a transaction runs, and whatever becomes of it', async () => {
    const id = freshId('jti');
    const failing = storage().transaction(async ({ settings }) => {
      await settings.get('any');
      throw new Error('no');
    });
    const claims = Array.from({ length: 20 }, () =>
      storage().usedOnce.claim('jti', id, T0 + 1000, 'payments'),
    );
    await expect(failing).rejects.toThrow('no');
    expect((await Promise.all(claims)).filter((claim) => claim)).toHaveLength(1);
  });

  it('takes ids of any length and script', async () => {
    for (const id of ['', '\u0000', 'ü', 'x'.repeat(100_000), 'x'.repeat(100_001)]) {
      expect(await storage().usedOnce.claim('odd', id, T0 + 1000, 'payments')).toBe(true);
      expect(await storage().usedOnce.claim('odd', id, T0 + 1000, 'payments')).toBe(false);
    }
  });

  it('keeps namespaces and ids apart', async () => {
    const id = freshId('jti');
    expect(await storage().usedOnce.claim('jti', id, T0 + 1000, 'payments')).toBe(true);
    expect(await storage().usedOnce.claim('dpop', id, T0 + 1000, 'payments')).toBe(true);
    expect(await storage().usedOnce.claim('jti', `${id}x`, T0 + 1000, 'payments')).toBe(true);
    expect(await storage().usedOnce.claim('jti', id.toUpperCase(), T0 + 1000, 'payments')).toBe(true);
  });

  it('may be claimed again after its expiry and not at it', async () => {
    const id = freshId('jti');
    clock.set(T0);
    expect(await storage().usedOnce.claim('jti', id, T0 + 1000, 'payments')).toBe(true);
    clock.set(T0 + 1000);
    expect(await storage().usedOnce.claim('jti', id, T0 + 2000, 'payments')).toBe(false);
    clock.set(T0 + 1001);
    expect(await storage().usedOnce.claim('jti', id, T0 + 2000, 'payments')).toBe(true);
    expect(await storage().usedOnce.claim('jti', id, T0 + 2000, 'payments')).toBe(false);
    clock.set(T0 + 1500);
    expect(await storage().usedOnce.claim('jti', id, T0 + 3000, 'payments')).toBe(false);
    clock.set(T0);
  });

  it('sweeps what has expired, at most 10,000 rows a call, and nothing else', async () => {
    await storage().usedOnce.sweep(T0 + 1e9);
    const kept = freshId('jti');
    await storage().usedOnce.claim('jti', kept, T0 + 5000, 'payments');
    for (let turn = 0; turn < 3; turn++) {
      const claims = Array.from({ length: 4000 }, (_, index) => ['many', `${turn}-${index}`] as const);
      await Promise.all(
        claims.map(([space, id]) => storage().usedOnce.claim(space, id, T0 + 1000, 'payments')),
      );
    }
    expect(await storage().usedOnce.sweep(T0 + 1000)).toBe(0);
    const first = await storage().usedOnce.sweep(T0 + 2000);
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThanOrEqual(10_000);
    await storage().usedOnce.sweep(T0 + 2000);
    expect(await storage().usedOnce.sweep(T0 + 2000)).toBe(0);
    expect(await storage().usedOnce.claim('jti', kept, T0 + 5000, 'payments')).toBe(false);
  });
}
