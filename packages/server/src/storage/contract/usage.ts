import { expect, it } from 'vitest';
import type { UsageRecord } from '../usage.ts';
import type { ReporterRecord } from '../usage-reporters.ts';
import { accessRecord, credentialRecord, freshId, pair, T0 } from './records.ts';
import type { Subject } from './subject.ts';

export function usageContract({ storage }: Subject): void {
  async function scene(): Promise<{
    accessId: string;
    credentialId: string;
    resourceServerId: string;
    identityId: string;
  }> {
    const { identity, resourceServer } = await pair(storage());
    const access = accessRecord(identity.id, resourceServer.id, { scopes: ['read', 'write'] });
    const credential = credentialRecord(identity.id);
    await storage().access.insert(access);
    await storage().credentials.insert(credential);
    return {
      accessId: access.id,
      credentialId: credential.id,
      resourceServerId: resourceServer.id,
      identityId: identity.id,
    };
  }

  const rowOf = (
    { accessId, credentialId, resourceServerId }: Awaited<ReturnType<typeof scene>>,
    change: Partial<UsageRecord> = {},
  ): UsageRecord => ({
    accessId,
    credentialId,
    resourceServerId,
    scope: 'read',
    ok: 3,
    denied: 1,
    lastOkAt: T0,
    lastDeniedAt: T0 - 5,
    days: '20000:1',
    ...change,
  });

  it('tells which access and credentials belong together, at one resource server', async () => {
    const one = await scene();
    const other = await scene();
    const found = (resourceServerId: string) =>
      storage().usage.registered(
        resourceServerId,
        [one.accessId, other.accessId, 'acs_none'],
        [one.credentialId, other.credentialId, 'crd_none'],
      );
    const { accessId, credentialId } = one;
    expect(await found(one.resourceServerId)).toEqual([{ accessId, credentialId }]);
    expect(await found('rsv_none')).toEqual([]);
  });

  it('gives back what was put last, of each access in one order', async () => {
    const one = await scene();
    const first = rowOf(one, { scope: 'write', lastOkAt: undefined, ok: 0, days: '' });
    await storage().usage.put([first, rowOf(one), rowOf(one, { scope: '', lastDeniedAt: undefined })]);
    await storage().usage.put([rowOf(one, { ok: 7, lastOkAt: T0 + 9, oldestAge: 40, unagedAt: T0 - 9 })]);
    expect(await storage().usage.ofAccess([one.accessId, 'acs_none'])).toStrictEqual([
      rowOf(one, { scope: '', lastDeniedAt: undefined }),
      rowOf(one, { ok: 7, lastOkAt: T0 + 9, oldestAge: 40, unagedAt: T0 - 9 }),
      first,
    ]);
    expect(await storage().usage.ofAccess([])).toEqual([]);
  });

  it('tells when a credential was let through last, and says nothing of those that never were', async () => {
    const one = await scene();
    const other = await scene();
    await storage().usage.put([rowOf(one), rowOf(one, { scope: 'write', lastOkAt: T0 + 5 })]);
    await storage().usage.put([rowOf(other, { lastOkAt: undefined })]);
    const last = await storage().usage.lastOfCredentials([one.credentialId, other.credentialId]);
    expect([...last]).toEqual([[one.credentialId, T0 + 5]]);
  });

  it('lists access by use: by any scope, or by the one that is named', async () => {
    const one = await scene();
    const { identityId } = one;
    await storage().usage.put([rowOf(one, { scope: 'read', lastOkAt: T0 })]);
    const listed = async (filter: object): Promise<number> =>
      (await storage().access.list({ identityId, ...filter }, { limit: 9 })).items.length;
    expect(await listed({ usedSince: T0 })).toBe(1);
    expect(await listed({ usedSince: T0 + 1 })).toBe(0);
    expect(await listed({ notUsedSince: T0 + 1 })).toBe(1);
    expect(await listed({ notUsedSince: T0 })).toBe(0);
    expect(await listed({ usedSince: T0, scope: 'read' })).toBe(1);
    expect(await listed({ usedSince: T0, scope: 'write' })).toBe(0);
  });

  it('forgets what was neither used nor tried for long, and nothing else', async () => {
    const one = await scene();
    await storage().usage.put([
      rowOf(one, { scope: 'old', lastOkAt: 10, lastDeniedAt: undefined }),
      rowOf(one, { scope: 'tried', lastOkAt: 10, lastDeniedAt: 20 }),
    ]);
    expect(await storage().usage.sweep(20)).toBe(1);
    expect((await storage().usage.ofAccess([one.accessId])).map(({ scope }) => scope)).toEqual(['tried']);
  });

  it('keeps who reports, and finds who fell silent and who is forgotten', async () => {
    const { identityId, resourceServerId } = await scene();
    const reporter = (boot: string, change: Partial<ReporterRecord> = {}): ReporterRecord => ({
      resourceServerId,
      instance: 'pod-1',
      boot,
      identityId,
      upto: 4,
      beyond: [{ seq: 6, from: 1, to: 2, more: false, blind: true, final: false }],
      toldUntil: T0,
      ended: false,
      receivedAt: T0,
      createdAt: T0 - 9,
      ...change,
    });
    const { usageReporters } = storage();
    for (const each of [
      reporter('a'),
      reporter('b', { ended: true }),
      reporter('c', { toldUntil: T0 + 5 }),
    ]) {
      await usageReporters.put(each);
    }
    expect(await usageReporters.find(reporter('a'))).toStrictEqual(reporter('a'));
    expect(await usageReporters.find(reporter('x'))).toBeUndefined();
    expect(await usageReporters.count(resourceServerId)).toBe(3);
    expect(await usageReporters.silent([resourceServerId, 'rsv_none'], T0 + 1)).toStrictEqual([
      reporter('a'),
    ]);
    await usageReporters.put(reporter('a', { upto: 6, beyond: [], receivedAt: 5 }));
    expect(await usageReporters.forgotten(6)).toStrictEqual([
      reporter('a', { upto: 6, beyond: [], receivedAt: 5 }),
    ]);
    await usageReporters.delete(reporter('a'));
    expect(await usageReporters.forgotten(6)).toEqual([]);
  });

  it('lets reports of one resource server wait for one another', async () => {
    const one = await scene();
    await storage().usage.put([rowOf(one, { ok: 0 })]);
    await Promise.all(
      Array.from({ length: 12 }, () =>
        storage().transaction(async ({ usage, usageReporters }) => {
          await usageReporters.lock(one.resourceServerId);
          const [before] = await usage.ofAccess([one.accessId]);
          await usage.put([rowOf(one, { ok: (before?.ok ?? 0) + 1 })]);
        }),
      ),
    );
    expect((await storage().usage.ofAccess([one.accessId]))[0]?.ok).toBe(12);
  });

  it('joins spans that are near, keeps kinds apart, and forgets the old', async () => {
    const { resourceServerId } = await scene();
    const { coverage } = storage();
    await coverage.add(resourceServerId, 'seen', { from: 1000, to: 2000 }, 60);
    await coverage.add(resourceServerId, 'seen', { from: 3000, to: 4000 }, 60);
    await coverage.add(resourceServerId, 'missed', { from: 2000, to: 3000 }, 60);
    await coverage.add(resourceServerId, 'seen', { from: 4060, to: 5000 }, 60);
    const spansOf = async (kind: string, from: number, to: number) =>
      (await coverage.spans([resourceServerId, 'rsv_none'], { from, to }))
        .filter((span) => span.kind === kind && span.resourceServerId === resourceServerId)
        .map((span) => ({ from: span.from, to: span.to }));
    const spans = (from: number, to: number) => spansOf('seen', from, to);
    expect(await spans(0, 9000)).toEqual([
      { from: 1000, to: 2000 },
      { from: 3000, to: 5000 },
    ]);
    expect(await spans(2500, 2600)).toEqual([]);
    await coverage.add(resourceServerId, 'seen', { from: 1500, to: 3500 }, 60);
    expect(await spans(0, 9000)).toEqual([{ from: 1000, to: 5000 }]);
    await coverage.sweep(3001);
    expect(await spansOf('missed', 0, 9000)).toEqual([]);
    expect(await spans(0, 9000)).toEqual([{ from: 1000, to: 5000 }]);
  });

  it('keeps what scopes open, up to so many, and finds what came later', async () => {
    const { resourceServerId } = await scene();
    const { scopeRoutes } = storage();
    const route = (scope: string, path: string) => ({ scope, method: 'GET', path });
    await scopeRoutes.tell(resourceServerId, [route('read', '/a'), route('write', '/b')], T0, 3);
    await scopeRoutes.tell(resourceServerId, [route('read', '/a'), route('read', '/c')], T0 + 50, 3);
    await scopeRoutes.tell(resourceServerId, [route('read', '/d'), route('write', '/b')], T0 + 90, 3);
    const known = await scopeRoutes.of(resourceServerId);
    expect(
      known.map(({ scope, path, firstSeenAt, lastSeenAt }) => [scope, path, firstSeenAt, lastSeenAt]),
    ).toEqual([
      ['read', '/a', T0, T0 + 50],
      ['read', '/c', T0 + 50, T0 + 50],
      ['write', '/b', T0, T0 + 90],
    ]);
    const late = async (after: number) =>
      (await scopeRoutes.late(after)).filter((each) => each.resourceServerId === resourceServerId);
    expect((await late(49)).map(({ path }) => path)).toEqual(['/c']);
    expect(await late(50)).toEqual([]);
  });

  it('keeps who was let in without being registered', async () => {
    const { resourceServerId, identityId } = await scene();
    const { unregisteredCallers } = storage();
    const caller = (name: string, change: object = {}) => ({
      resourceServerId,
      issuer: '',
      caller: name,
      reporterId: identityId,
      ok: 1,
      denied: 2,
      lastOkAt: T0,
      firstAt: T0 - 9,
      lastAt: T0,
      ...change,
    });
    await unregisteredCallers.put([caller('b'), caller('a', { lastOkAt: undefined, ok: 0, lastAt: 5 })]);
    await unregisteredCallers.put([caller('b', { ok: 7, lastOkAt: T0 + 1, lastAt: T0 + 1 })]);
    const b = caller('b', { ok: 7, lastOkAt: T0 + 1, lastAt: T0 + 1 });
    expect(await unregisteredCallers.of(resourceServerId)).toStrictEqual([
      caller('a', { lastOkAt: undefined, ok: 0, lastAt: 5 }),
      b,
    ]);
    expect(await unregisteredCallers.letInSince(T0 + 1)).toStrictEqual([b]);
    expect(await unregisteredCallers.letInSince(T0 + 2)).toEqual([]);
    expect(await unregisteredCallers.sweep(6)).toBe(1);
    expect(await unregisteredCallers.of(resourceServerId)).toStrictEqual([b]);
  });

  it('keeps the last time at which tokens were issued on a credential', async () => {
    const { credentialId } = await scene();
    const { credentialUse } = storage();
    await credentialUse.note(credentialId, T0 + 5);
    await credentialUse.note(credentialId, T0);
    await credentialUse.note(freshId('crd'), T0);
    expect([...(await credentialUse.of([credentialId, 'crd_none']))]).toEqual([[credentialId, T0 + 5]]);
  });
}
