import { expect, it } from 'vitest';
import { T0, signingKeyRecord } from './records.ts';
import type { SigningKeyRecord } from '../signing-keys.ts';
import type { Subject } from './subject.ts';

function changed(record: SigningKeyRecord, overrides: Partial<SigningKeyRecord>): SigningKeyRecord {
  return { ...record, version: record.version + 1, ...overrides };
}

export function signingKeyContract({ storage }: Subject): void {
  const conflict = { fault: 'unique_conflict', detail: 'active_alg' };

  it('gives back what was inserted', async () => {
    const record = signingKeyRecord({
      alg: 'ES384',
      state: 'retiring',
      retiringAt: T0 + 1,
      removeAt: T0 + 2,
    });
    await storage().signingKeys.insert(record);
    expect(await storage().signingKeys.byKid(record.kid)).toStrictEqual(record);
    expect(await storage().signingKeys.byKid('key_none')).toBeUndefined();
  });

  it('keeps one next and one active key for each algorithm', async () => {
    const next = signingKeyRecord({ alg: 'RS256' });
    const active = signingKeyRecord({ alg: 'RS256', state: 'active' });
    await storage().signingKeys.insert(next);
    await storage().signingKeys.insert(active);
    await storage().signingKeys.insert(signingKeyRecord({ alg: 'RS384' }));
    for (const state of ['next', 'active'] as const) {
      const second = signingKeyRecord({ alg: 'RS256', state });
      await expect(storage().signingKeys.insert(second)).rejects.toMatchObject(conflict);
    }
    await expect(storage().signingKeys.replace(changed(next, { state: 'active' }))).rejects.toMatchObject(
      conflict,
    );
    const retiring = changed(active, { state: 'retiring', retiringAt: T0 + 5, removeAt: T0 + 9 });
    await storage().transaction(async ({ signingKeys }) => {
      await signingKeys.replace(retiring);
      await signingKeys.replace(changed(next, { state: 'active', activeAt: T0 + 5 }));
    });
    expect(await storage().signingKeys.byKid(active.kid)).toStrictEqual(retiring);
    expect((await storage().signingKeys.byKid(next.kid))?.state).toBe('active');
    await storage().signingKeys.insert(signingKeyRecord({ alg: 'RS256', state: 'retiring' }));
  });

  it('replaces by compare-and-swap and keeps a key to its algorithm', async () => {
    const record = signingKeyRecord({ alg: 'PS256' });
    await storage().signingKeys.insert(record);
    const stale = { fault: 'version_conflict' };
    await expect(storage().signingKeys.replace(record)).rejects.toMatchObject(stale);
    await expect(storage().signingKeys.replace({ ...record, version: 3 })).rejects.toMatchObject(stale);
    await expect(storage().signingKeys.replace(changed(record, { alg: 'RS256' }))).rejects.toMatchObject(
      stale,
    );
    await storage().signingKeys.replace(changed(record, { state: 'compromised' }));
    await expect(storage().signingKeys.replace(changed(record, { state: 'active' }))).rejects.toMatchObject(
      stale,
    );
    await expect(storage().signingKeys.replace(signingKeyRecord({ version: 2 }))).rejects.toMatchObject(
      stale,
    );
  });

  it('counts what was written, also of those that are retired', async () => {
    const before = await storage().signingKeys.writes();
    const record = signingKeyRecord({ alg: 'PS256', state: 'retiring' });
    await storage().signingKeys.insert(record);
    await storage().signingKeys.replace(changed(record, { state: 'retired' }));
    expect(await storage().signingKeys.writes()).toBe(before + 2);
    const ofSvids = await storage().svidKeys.writes();
    const authorities = await storage().certificateAuthorities.writes();
    for (const count of [ofSvids, authorities]) expect(count).toBeTypeOf('number');
  });

  it('gives all but retired ones, oldest first', async () => {
    const states = ['next', 'active', 'retiring', 'retired', 'compromised'] as const;
    const records = states.map((state, index) =>
      signingKeyRecord({ alg: 'EdDSA', state, createdAt: T0 - index, sealedPrivateKey: '' }),
    );
    for (const record of records) await storage().signingKeys.insert(record);
    const live = (await storage().signingKeys.live()).filter((record) => record.alg === 'EdDSA');
    expect(live).toStrictEqual(records.filter((record) => record.state !== 'retired').reverse());
  });
}
