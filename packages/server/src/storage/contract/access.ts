import { expect, it } from 'vitest';
import type { AccessFilter } from '../access.ts';
import { T0, accessRecord, changed, freshId, pair, resourceServerRecord } from './records.ts';
import type { Subject } from './subject.ts';

export function accessContract({ storage }: Subject): void {
  const conflict = { fault: 'unique_conflict', detail: 'identity_resource_server' };

  it('gives back what was inserted', async () => {
    const { identity, resourceServer } = await pair(storage());
    const record = accessRecord(identity.id, resourceServer.id, {
      scopes: ['fraud:write', 'fraud:read'],
      tokenLifetime: 120,
      state: 'requested',
      approvedBy: undefined,
      approvedAt: undefined,
    });
    await storage().access.insert(record);
    expect(await storage().access.byId(record.id)).toStrictEqual(record);
    expect(await storage().access.byId('acs_none')).toBeUndefined();
    expect(await storage().access.byIds(['acs_none', record.id])).toStrictEqual([record]);
    expect(await storage().access.byIds([])).toEqual([]);
  });

  it('refuses one for an identity or a resource server that does not exist', async () => {
    const { identity, resourceServer } = await pair(storage());
    const missing = { fault: 'missing_reference' };
    const noServer = accessRecord(identity.id, 'rsv_none');
    const nobody = accessRecord('idn_none', resourceServer.id);
    await expect(storage().access.insert(noServer)).rejects.toMatchObject(missing);
    await expect(storage().access.insert(nobody)).rejects.toMatchObject(missing);
    expect(await storage().access.byId(nobody.id)).toBeUndefined();
  });

  it('keeps one live access for each pair', async () => {
    const { identity, resourceServer } = await pair(storage());
    const requested = accessRecord(identity.id, resourceServer.id, { state: 'requested' });
    await storage().access.insert(requested);
    await expect(storage().access.insert(accessRecord(identity.id, resourceServer.id))).rejects.toMatchObject(
      conflict,
    );
    const active = changed(requested, { state: 'active' });
    await storage().access.replace(active);
    await expect(storage().access.insert(accessRecord(identity.id, resourceServer.id))).rejects.toMatchObject(
      conflict,
    );
    await storage().access.insert(accessRecord(identity.id, resourceServer.id, { state: 'rejected' }));
    const revoked = changed(active, { state: 'revoked' });
    await storage().access.replace(revoked);
    await storage().access.insert(accessRecord(identity.id, resourceServer.id));
    await expect(storage().access.replace(changed(revoked, { state: 'active' }))).rejects.toMatchObject(
      conflict,
    );
  });

  it('lets exactly one of 20 parallel inserts for a pair win', async () => {
    const { identity, resourceServer } = await pair(storage());
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => storage().access.insert(accessRecord(identity.id, resourceServer.id))),
    );
    const lost = results.filter((result) => result.status === 'rejected');
    expect(lost).toHaveLength(19);
    for (const { reason } of lost) expect(reason).toMatchObject(conflict);
  });

  it('replaces by compare-and-swap and keeps the pair', async () => {
    const { identity, resourceServer } = await pair(storage());
    const record = accessRecord(identity.id, resourceServer.id);
    await storage().access.insert(record);
    const next = changed(record, { scopes: ['fraud:write'], expiresAt: T0 + 9 });
    await storage().access.replace(next);
    expect(await storage().access.byId(record.id)).toStrictEqual(next);
    expect(await storage().access.asOf(record.id, record.updatedAt - 1)).toBeUndefined();
    expect(await storage().access.asOf(record.id, next.updatedAt - 1)).toStrictEqual(
      next.updatedAt > record.updatedAt ? record : undefined,
    );
    expect(await storage().access.asOf(record.id, next.updatedAt)).toStrictEqual(next);
    const stale = { fault: 'version_conflict' };
    await expect(storage().access.replace(next)).rejects.toMatchObject(stale);
    const elsewhere = changed(next, { resourceServerId: freshId('rsv') });
    await expect(storage().access.replace(elsewhere)).rejects.toMatchObject(stale);
    expect(await storage().access.byId(record.id)).toStrictEqual(next);
  });

  it('held, it is replaced by nobody else before the transaction ends, and by nobody who holds an older version', async () => {
    const { identity, resourceServer } = await pair(storage());
    const record = accessRecord(identity.id, resourceServer.id);
    await storage().access.insert(record);
    const next = changed(record, { scopes: ['fraud:write'] });
    let replaced = false;
    let meanwhile: Promise<void> | undefined;
    await storage().transaction(async ({ access }) => {
      await access.hold(record);
      meanwhile = storage()
        .access.replace(next)
        .then(() => void (replaced = true));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(replaced).toBe(false);
      expect(await access.byId(record.id)).toStrictEqual(record);
    });
    await meanwhile;
    await expect(storage().access.hold(record)).rejects.toMatchObject({ fault: 'version_conflict' });
    await storage().access.hold(next);
    expect(await storage().access.byId(record.id)).toStrictEqual(next);
  });

  it('gives the active ones of an identity, oldest first', async () => {
    const { identity, resourceServer } = await pair(storage());
    const servers = [resourceServerRecord(), resourceServerRecord()];
    for (const server of servers) await storage().resourceServers.insert(server);
    const late = accessRecord(identity.id, resourceServer.id, { createdAt: T0 + 2 });
    const early = accessRecord(identity.id, servers[0]?.id ?? '', { createdAt: T0 + 1 });
    const requested = accessRecord(identity.id, servers[1]?.id ?? '', { state: 'requested' });
    for (const record of [late, early, requested]) await storage().access.insert(record);
    expect(await storage().access.activeOfIdentity(identity.id)).toStrictEqual([early, late]);
    await storage().access.replace(changed(early, { state: 'revoked' }));
    expect(await storage().access.activeOfIdentity(identity.id)).toStrictEqual([late]);
  });

  it('lists by each filter, oldest first, and by the scopes held now', async () => {
    const one = await pair(storage());
    const two = await pair(storage());
    const scope = freshId('scope');
    const first = accessRecord(one.identity.id, one.resourceServer.id, {
      createdAt: T0 + 3,
      scopes: [scope, 'a_b'],
    });
    const second = accessRecord(two.identity.id, one.resourceServer.id, {
      createdAt: T0 + 2,
      scopes: [scope, scope],
    });
    const third = accessRecord(two.identity.id, two.resourceServer.id, {
      createdAt: T0 + 1,
      scopes: ['axb'],
    });
    for (const record of [first, second, third]) await storage().access.insert(record);
    const list = async (filter: AccessFilter) =>
      (await storage().access.list(filter, { limit: 9 })).items.map((record) => record.id);
    const server = one.resourceServer.id;
    expect(await list({ resourceServerId: server })).toEqual([second.id, first.id]);
    expect(await list({ identityId: two.identity.id })).toEqual([third.id, second.id]);
    expect(await list({ identityId: two.identity.id, resourceServerId: server })).toEqual([second.id]);
    expect(await list({ scope })).toEqual([second.id, first.id]);
    expect(await list({ scope: scope.toUpperCase() })).toEqual([]);
    expect(await list({ scope: 'a_b', resourceServerId: server })).toEqual([first.id]);
    expect(await list({ scope, identityId: one.identity.id })).toEqual([first.id]);
    expect(await list({ scope, state: 'revoked' })).toEqual([]);
    await storage().access.replace(changed(first, { scopes: ['a_b'] }));
    await storage().access.replace(changed(second, { state: 'revoked' }));
    expect(await list({ scope, state: 'revoked' })).toEqual([second.id]);
    expect(await list({ scope })).toEqual([second.id]);
    expect(await list({ scope, identityId: one.identity.id })).toEqual([]);
    expect(await list({ scope, resourceServerId: server, state: 'active' })).toEqual([]);
    expect(await list({ state: 'revoked', resourceServerId: server })).toEqual([second.id]);
  });

  it('pages by scope without skipping or repeating', async () => {
    const scope = freshId('scope');
    const { resourceServer } = await pair(storage());
    const ids: string[] = [];
    for (let index = 0; index < 7; index++) {
      const { identity } = await pair(storage());
      const record = accessRecord(identity.id, resourceServer.id, {
        scopes: [scope],
        createdAt: T0 + Math.floor(index / 2),
      });
      await storage().access.insert(record);
      await storage().access.replace(changed(record, { scopes: [scope, 'more'] }));
      ids.push(record.id);
    }
    const seen: string[] = [];
    let after: { createdAt: number; id: string } | undefined;
    do {
      const page = await storage().access.list({ scope }, { limit: 3, after });
      seen.push(...page.items.map((record) => record.id));
      after = page.next;
    } while (after !== undefined);
    expect(seen).toEqual(ids);
  });

  it('tells every version of every access of a pair, oldest first', async () => {
    const { identity, resourceServer } = await pair(storage());
    const first = accessRecord(identity.id, resourceServer.id);
    await storage().access.insert(first);
    const ended = changed(first, { state: 'revoked' });
    await storage().access.replace(ended);
    const second = accessRecord(identity.id, resourceServer.id, { createdAt: T0 + 5, updatedAt: T0 + 5 });
    await storage().access.insert(second);
    expect(await storage().access.historyOf(identity.id, resourceServer.id)).toEqual([first, ended, second]);
    expect(await storage().access.historyOf(identity.id, (await pair(storage())).resourceServer.id)).toEqual(
      [],
    );
  });
}
