import { expect, it } from 'vitest';
import { T0, freshId } from './records.ts';
import type { Subject } from './subject.ts';

export function usedOnceContract({ storage, clock }: Subject): void {
  it('is true for one of 200 parallel claims', async () => {
    const id = freshId('jti');
    const claims = await Promise.all(
      Array.from({ length: 200 }, () => storage().usedOnce.claim('jti', id, T0 + 1000)),
    );
    expect(claims.filter((claim) => claim)).toHaveLength(1);
  });

  it('is true for one of 20 claims inside parallel transactions', async () => {
    const id = freshId('jti');
    const claims = await Promise.all(
      Array.from({ length: 20 }, () =>
        storage().transaction(({ usedOnce }) => usedOnce.claim('jti', id, T0 + 1000)),
      ),
    );
    expect(claims.filter((claim) => claim)).toHaveLength(1);
  });

  it('keeps namespaces and ids apart', async () => {
    const id = freshId('jti');
    expect(await storage().usedOnce.claim('jti', id, T0 + 1000)).toBe(true);
    expect(await storage().usedOnce.claim('dpop', id, T0 + 1000)).toBe(true);
    expect(await storage().usedOnce.claim('jti', `${id}x`, T0 + 1000)).toBe(true);
    expect(await storage().usedOnce.claim('jti', id.toUpperCase(), T0 + 1000)).toBe(true);
  });

  it('may be claimed again after its expiry and not at it', async () => {
    const id = freshId('jti');
    clock.set(T0);
    expect(await storage().usedOnce.claim('jti', id, T0 + 1000)).toBe(true);
    clock.set(T0 + 1000);
    expect(await storage().usedOnce.claim('jti', id, T0 + 2000)).toBe(false);
    clock.set(T0 + 1001);
    expect(await storage().usedOnce.claim('jti', id, T0 + 2000)).toBe(true);
    expect(await storage().usedOnce.claim('jti', id, T0 + 2000)).toBe(false);
    clock.set(T0 + 1500);
    expect(await storage().usedOnce.claim('jti', id, T0 + 3000)).toBe(false);
    clock.set(T0);
  });

  it('lets nobody have what a claim in a failed transaction took', async () => {
    const id = freshId('jti');
    const failing = storage().transaction(async ({ usedOnce }) => {
      expect(await usedOnce.claim('jti', id, T0 + 1000)).toBe(true);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await storage().usedOnce.claim('jti', id, T0 + 1000)).toBe(true);
  });

  it('sweeps what has expired, at most 10,000 a call, and nothing else', async () => {
    await storage().usedOnce.sweep(T0 + 1e9);
    const kept = freshId('jti');
    await storage().usedOnce.claim('jti', kept, T0 + 100);
    await storage().transaction(async ({ usedOnce }) => {
      for (let index = 0; index < 10_001; index++) await usedOnce.claim('many', String(index), T0 + 99);
    });
    expect(await storage().usedOnce.sweep(T0 + 99)).toBe(0);
    expect(await storage().usedOnce.sweep(T0 + 100)).toBe(10_000);
    expect(await storage().usedOnce.sweep(T0 + 100)).toBe(1);
    expect(await storage().usedOnce.sweep(T0 + 100)).toBe(0);
    expect(await storage().usedOnce.claim('jti', kept, T0 + 100)).toBe(false);
  });
}
