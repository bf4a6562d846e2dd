import { expect, it } from 'vitest';
import type { CredentialInstance } from '../credential-instances.ts';
import { changed, credentialRecord, freshId, identityRecord, T0 } from './records.ts';
import type { Subject } from './subject.ts';

/** Which credential takes the place of which, who uses one, and of which end was told. */
export function rotationContract({ storage }: Subject): void {
  const made = async (count: number, change: (index: number) => object = () => ({})) => {
    const identity = identityRecord({ cadence: 'quarterly' });
    await storage().identities.insert(identity);
    const records = Array.from({ length: count }, (_, index) => credentialRecord(identity.id, change(index)));
    for (const record of records) await storage().credentials.insert(record);
    return records;
  };

  it('gives back whose place a credential takes and what takes its own', async () => {
    const [old] = await made(1);
    if (old === undefined) throw new Error('none');
    const next = credentialRecord(old.identityId, { predecessor: { id: old.id, by: 'itself' } });
    await storage().credentials.insert(next);
    const rotated = changed(old, { successor: { id: next.id, since: T0 + 5 }, updatedAt: T0 + 5 });
    await storage().credentials.replace(rotated);
    expect(await storage().credentials.byId(next.id)).toStrictEqual(next);
    expect(await storage().credentials.byId(old.id)).toStrictEqual(rotated);
    expect(await storage().credentials.asOf(old.id, T0 + 1)).toStrictEqual(old);
    expect(await storage().credentials.succeeding(old.id)).toEqual([next]);
    expect(await storage().credentials.succeeding(next.id)).toEqual([]);
  });

  it('knows by which credential an identity could prove itself at an instant, whatever became of it since', async () => {
    const identity = identityRecord();
    await storage().identities.insert(identity);
    const { credentials } = storage();
    const at = (ms: number, change: object = {}) => {
      const times = { createdAt: T0 + ms, updatedAt: T0 + ms, notBeforeAt: T0 + ms };
      return credentialRecord(identity.id, { ...times, ...change });
    };
    const [first, later] = [at(10, { expiresAt: T0 + 100 }), at(20, { notBeforeAt: T0 + 40 })];
    for (const record of [first, later, at(60, { state: 'suspended' })]) await credentials.insert(record);
    await credentials.replace(changed(first, { state: 'revoked', updatedAt: T0 + 50 }));
    await credentials.replace(changed(later, { state: 'revoked', updatedAt: T0 + 70 }));
    const found = async (ms: number) => (await credentials.usableAsOf(identity.id, T0 + ms))?.id;
    expect(await found(9)).toBe(undefined);
    expect([await found(10), await found(39), await found(40)]).toEqual([first.id, first.id, later.id]);
    expect([await found(69), await found(70)]).toEqual([later.id, undefined]);
    expect(await credentials.usableAsOf(identity.id, T0 + 30)).toStrictEqual(first);
  });

  it('finds whatever was made from a credential, link after link, but for what ended long ago', async () => {
    const [first] = await made(1);
    if (first === undefined) throw new Error('none');
    const { credentials } = storage();
    const heir = async (of: string, at: number, change: object = {}): Promise<string> => {
      const record = credentialRecord(first.identityId, {
        createdAt: T0 + at,
        updatedAt: T0 + at,
        predecessor: { id: of, by: 'itself' },
        ...change,
      });
      await credentials.insert(record);
      return record.id;
    };
    const old = await heir(first.id, 1, { state: 'expired' });
    const late = await heir(old, 2, { state: 'revoked', updatedAt: T0 + 500 });
    const tip = await heir(late, 3);
    const given = await heir(tip, 4, { predecessor: { id: tip, by: 'administration' } });
    const beyond = await heir(given, 5);
    expect(await credentials.heirs(first.id, T0 + 100)).toEqual([late, tip, given, beyond]);
    expect(await credentials.heirs(first.id, T0 + 500)).toEqual([tip, given, beyond]);
    expect(await credentials.heirs(first.id, T0, 'itself')).toEqual([old, late, tip]);
    expect(await credentials.heirs(beyond, T0)).toEqual([]);
    const held = await storage().transaction((stores) => stores.credentials.hold(first.id));
    expect(held).toStrictEqual(first);
    expect(await credentials.hold(freshId('crd'))).toBe(undefined);
  });

  it('finds rotations that are not over, the longest under way first, in pages', async () => {
    // Of a time that no other test uses, so that they can share a database.
    const base = T0 - 1e11;
    const states = ['active', 'suspended', 'revoked', 'expired', 'active'] as const;
    const all = await made(5, (at) => ({
      state: states[at],
      successor: { id: freshId('crd'), since: base + [30, 10, 5, 6, 20][at]! },
    }));
    const at = { at: base - 1, id: '' };
    const found = await storage().credentials.rotating({ limit: 3, after: at });
    expect(found).toEqual([
      { id: all[1]?.id, at: base + 10 },
      { id: all[4]?.id, at: base + 20 },
      { id: all[0]?.id, at: base + 30 },
    ]);
    expect(await storage().credentials.rotating({ limit: 1, after: found[0] })).toEqual([found[1]]);
  });

  it('finds what ends soon, until that was told, unless something that lasts longer takes its place', async () => {
    const end = T0 + 2e12;
    const [plain, rotated, , revoked] = await made(4, (at) => ({
      expiresAt: end + at,
      state: at === 3 ? 'revoked' : 'active',
    }));
    if (plain === undefined || rotated === undefined) throw new Error('none');
    const next = credentialRecord(rotated.identityId, { expiresAt: end + 1e9 });
    await storage().credentials.insert(next);
    const successor = { id: next.id, since: T0 };
    await storage().credentials.replace(changed(rotated, { successor }));
    const soon = { after: end - 1, until: end + 10, days: 7 };
    const { credentials } = storage();
    const found = await credentials.endingSoon(soon, { limit: 10 });
    expect(found.map(({ at }) => at)).toEqual([end, end + 2]);
    expect(found[0]).toEqual({ id: plain.id, at: end, createdAt: plain.createdAt });
    expect(found.map(({ id }) => id)).not.toContain(revoked?.id);
    expect((await credentials.endingSoon(soon, { limit: 1, after: found[0] })).map(({ at }) => at)).toEqual([
      end + 2,
    ]);
    expect(await credentials.tellEnd(plain.id, end, 7)).toBe(true);
    expect(await credentials.tellEnd(plain.id, end, 7)).toBe(false);
    expect((await credentials.endingSoon(soon, { limit: 10 })).map(({ at }) => at)).toEqual([end + 2]);
    expect((await credentials.endingSoon({ ...soon, days: 1 }, { limit: 10 })).length).toBe(2);
    expect(await credentials.tellEnd(plain.id, end, 1)).toBe(true);
    expect(await credentials.tellEnd(plain.id, end, 7)).toBe(false);
    // Another end is told of anew.
    expect(await credentials.tellEnd(plain.id, end + 99, 30)).toBe(true);
    await credentials.replace({ ...changed(rotated, {}), successor, state: 'active', version: 3 });
    await credentials.replace(changed(next, { state: 'revoked' }));
    expect((await credentials.endingSoon(soon, { limit: 10 })).map(({ at }) => at)).toEqual([
      end,
      end + 1,
      end + 2,
    ]);
  });

  it('adds up who was seen with a credential, and keeps so many apart', async () => {
    const [one, other] = await made(2);
    if (one === undefined || other === undefined) throw new Error('none');
    const { credentialInstances } = storage();
    const seen = (
      instance: string,
      firstAt: number,
      lastAt: number,
      change: object = {},
    ): CredentialInstance => ({
      credentialId: one.id,
      instance,
      source: `from ${firstAt}`,
      firstAt,
      lastAt,
      ...change,
    });
    await credentialInstances.note([seen('b', T0 + 5, T0 + 9), seen('', T0 + 1, T0 + 1)], 3, '*');
    await credentialInstances.note([seen('b', T0 + 2, T0 + 7), seen('c', T0 + 3, T0 + 3)], 3, '*');
    // There is no room for them any more, but for whoever is known.
    await credentialInstances.note([seen('d', T0 + 4, T0 + 4), seen('e', T0 + 6, T0 + 6)], 3, '*');
    await credentialInstances.note([seen('b', T0 + 10, T0 + 10)], 3, '*');
    await credentialInstances.note([seen('x', T0, T0, { credentialId: freshId('crd') })], 3, '*');
    await credentialInstances.note([seen('b', T0, T0, { credentialId: other.id })], 3, '*');
    expect(await credentialInstances.of(one.id)).toEqual([
      seen('b', T0 + 2, T0 + 10, { source: `from ${T0 + 10}` }),
      seen('*', T0 + 4, T0 + 6, { source: `from ${T0 + 6}` }),
      seen('c', T0 + 3, T0 + 3),
      seen('', T0 + 1, T0 + 1),
    ]);
    expect((await credentialInstances.of(other.id)).length).toBe(1);
    expect(await credentialInstances.sweep('annual', T0 + 4)).toBe(0);
    expect(await credentialInstances.sweep('quarterly', T0 + 4)).toBeGreaterThanOrEqual(3);
    expect((await credentialInstances.of(one.id)).map(({ instance }) => instance)).toEqual(['b', '*']);
    expect(await credentialInstances.of(other.id)).toEqual([]);
  });
}
